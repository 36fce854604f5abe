package simulate

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Print writes the result for people, in yuan.
func (r Result) Print(w io.Writer, items bool) error {
	var out strings.Builder
	for _, b := range r.Breaches {
		fmt.Fprintf(&out, "BREACH  %s (%s) at %s: %s\n", b.Rule, articles[b.Rule], b.Field, b.Say)
	}
	if len(r.Breaches) > 0 {
		out.WriteString("What these would pay is in no figure below: it can never be paid.\n\n")
	}
	for _, c := range r.Campaigns {
		r.printCampaign(&out, c, items)
	}
	out.WriteString("By month (Asia/Shanghai), every campaign that is open in it sold out in it:\n")
	table := newTable(&out)
	fmt.Fprint(table, "MONTH\tSOLD ¥\tBRANDS ¥\tOWNERS AT MOST ¥\tPLATFORM AT LEAST ¥\tCAMPAIGNS\n")
	for _, m := range r.Months {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", m.Month, Yuan(m.Worst.GrossFen), Yuan(m.Worst.BrandFen),
			Yuan(m.WorstPayoutFen), Yuan(m.Worst.PlatformFen), strings.Join(m.Campaigns, " "))
	}
	_ = table.Flush() // a strings.Builder takes everything
	_, err := io.WriteString(w, out.String())
	return err
}

func (r Result) printCampaign(out *strings.Builder, c CampaignOutcome, items bool) {
	fmt.Fprintf(out, "Programme %s over campaign %s, every unit sold over an owner's link:\n", r.Program, c.Name)
	table := newTable(out)
	fmt.Fprint(table, "RANK\tDEPTH\tSOLD ¥\tBRAND ¥\tSELLER ¥\tSECOND ¥\tPLATFORM ¥\n")
	for _, o := range c.At {
		row(table, o.Rank, o)
	}
	if items {
		for _, item := range c.Items {
			for _, o := range item.At {
				row(table, "  "+item.SKU+" "+o.Rank, o)
			}
		}
	}
	_ = table.Flush() // a strings.Builder takes everything
	fmt.Fprintf(out, "Owners get at most ¥%s; the platform keeps at least ¥%s.\n", Yuan(c.WorstPayoutFen), Yuan(c.Worst.PlatformFen))
	if c.CommissionFen > c.WorstPayoutFen {
		fmt.Fprintf(out, "As long as store-owner obeys no ranks, who sold gets the whole commission: ¥%s.\n", Yuan(c.CommissionFen))
	}
	if len(c.Losing) > 0 {
		fmt.Fprintf(out, "LOSS  the platform's part can be under 0 with: %s\n", strings.Join(c.Losing, " "))
	}
	out.WriteString("\n")
}

func row(table *tabwriter.Writer, name string, o Outcome) {
	fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\t%s\t%s\n", name, o.Depth,
		Yuan(o.GrossFen), Yuan(o.BrandFen), Yuan(o.OwnerFen), Yuan(o.SecondFen), Yuan(o.PlatformFen))
}

func newTable(out *strings.Builder) *tabwriter.Writer {
	return tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
}

// Yuan writes fen as yuan, for example 1,234.50.
func Yuan(fen int64) string {
	sign := ""
	if fen < 0 {
		sign, fen = "-", -fen
	}
	digits := fmt.Sprint(fen / 100)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return fmt.Sprintf("%s%s.%02d", sign, digits, fen%100)
}
