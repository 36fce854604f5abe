package view

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

// Table writes a row a campaign; namespaces only where they differ.
func Table(w io.Writer, views []View, namespaces bool) error {
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	head := "NAME\tPHASE\tNEXT\tREADY\tSOLD\tHELD\tLEFT\tPAID\tLANE\n"
	if namespaces {
		head = "NAMESPACE\t" + head
	}
	_, _ = io.WriteString(table, head) // Flush tells
	for _, v := range views {
		if namespaces {
			_, _ = fmt.Fprintf(table, "%s\t", v.Namespace)
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%s\n", v.Name, v.tablePhase(), v.Next.short(), v.readyWord(),
			v.Stock.Sold, v.Stock.Held, v.Stock.Left, v.Orders.Paid, v.tableLane())
	}
	return table.Flush()
}

func (v View) tablePhase() string {
	phase := or(v.Phase, dash)
	if v.Paused {
		phase += " (paused)"
	}
	return phase
}

func (v View) tableLane() string {
	switch {
	case v.Lane == nil:
		return dash
	case v.Lane.Dedicated:
		return "dedicated"
	default:
		return fmt.Sprintf("shared/%d", v.Lane.Partition)
	}
}

// Sort puts first what needs somebody first: sales that run, then what comes by its time, then the rest
// by name.
func Sort(views []View) {
	slices.SortStableFunc(views, func(a, b View) int {
		return cmp.Or(
			cmp.Compare(a.rank(), b.rank()),
			cmp.Compare(a.due(), b.due()),
			cmp.Compare(a.Namespace, b.Namespace),
			cmp.Compare(a.Name, b.Name))
	})
}

func (v View) rank() int {
	switch v1alpha1.Phase(v.Phase) {
	case v1alpha1.PhaseLive, v1alpha1.PhaseDraining:
		return 0
	case v1alpha1.PhaseAfterSale:
		return 2
	case v1alpha1.PhaseSettled:
		return 3
	default:
		return 1
	}
}

func (v View) due() int64 {
	if v.Next == nil {
		return math.MaxInt64
	}
	return v.Next.InSeconds
}
