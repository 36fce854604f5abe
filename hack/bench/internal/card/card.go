// Package card holds the rows of a run against their targets and prints them.
package card

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// Spread is what repeats gave.
type Spread struct{ Median, Min, Max float64 }

// Of returns the spread of values; there is at least one.
func Of(values ...float64) Spread {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return Spread{Median: (sorted[(n-1)/2] + sorted[n/2]) / 2, Min: sorted[0], Max: sorted[n-1]}
}

func (s Spread) text(digits int) string {
	if s.Min == s.Max {
		return fmt.Sprintf("%.*f", digits, s.Median)
	}
	return fmt.Sprintf("%.*f  [%.*f–%.*f]", digits, s.Median, digits, s.Min, digits, s.Max)
}

// Target is a bound on a row's ratio.
type Target struct {
	least, none bool
	limit       float64
}

// Info is no bound: the row is there to be known.
var Info = Target{none: true}

// AtMost is met by a ratio that is not greater.
func AtMost(limit float64) Target { return Target{limit: limit} }

// AtLeast is met by a ratio that is not smaller.
func AtLeast(limit float64) Target { return Target{least: true, limit: limit} }

// String is the target as the table and the JSON show it.
func (t Target) String() string {
	if t.none {
		return "info"
	}
	if t.least {
		return fmt.Sprintf("≥ %.4g", t.limit)
	}
	return fmt.Sprintf("≤ %.4g", t.limit)
}

func (t Target) met(ratio float64) bool {
	if t.none {
		return true
	}
	if t.least {
		return ratio >= t.limit
	}
	return ratio <= t.limit
}

// Row is one line of the card. A row counts by the median of its ratio.
type Row struct {
	ID string
	// Unit is that of Ours and Against.
	Unit                 string
	Ours, Against, Ratio Spread
	Target               Target
	// Void says why the row means nothing; empty where it does.
	Void string
	// Misses is what else the row fails of its target beside the ratio; empty for nothing.
	Misses string
	// Note is what the reader must know beside the number.
	Note string
}

// OK tells whether the row's target is met.
func (r Row) OK() bool { return r.Void == "" && r.Misses == "" && r.Target.met(r.Ratio.Median) }

func (r Row) verdict() string {
	switch {
	case r.Void != "":
		return "VOID"
	case r.Target.none && r.Misses == "":
		return ""
	case r.OK():
		return "ok"
	default:
		return strings.TrimSpace("BEHIND " + r.Misses)
	}
}

// Print writes the table.
func Print(w io.Writer, rows []Row) error {
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	_, _ = fmt.Fprintln(table, "row\tours\tagainst\tunit\tratio  [min–max]\ttarget\t\t") // Flush tells
	for _, r := range rows {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.ID,
			r.Ours.text(digits(r.Ours)), r.Against.text(digits(r.Against)), r.Unit, r.Ratio.text(2), r.Target, r.verdict(), r.Note)
	}
	for _, why := range voids(rows) {
		_, _ = fmt.Fprintf(table, "\nvoid: %s\n", why)
	}
	return table.Flush()
}

// Markdown writes the table as README.md has it.
func Markdown(w io.Writer, rows []Row) error {
	var out strings.Builder
	out.WriteString("| row | ours | against | unit | ratio [min–max] | target | | |\n|---|---|---|---|---|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(&out, "| `%s` | %s | %s | %s | %s | %s | %s | %s |\n", r.ID,
			r.Ours.text(digits(r.Ours)), r.Against.text(digits(r.Against)), r.Unit, r.Ratio.text(2), r.Target, r.verdict(), strings.TrimSpace(r.Note))
	}
	for _, why := range voids(rows) {
		fmt.Fprintf(&out, "\nvoid: %s\n", why)
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// voids are the reasons why rows are void, each once.
func voids(rows []Row) (reasons []string) {
	for _, r := range rows {
		if r.Void != "" && !slices.Contains(reasons, r.Void) {
			reasons = append(reasons, r.Void)
		}
	}
	return reasons
}

// digits keeps three figures or so.
func digits(s Spread) int {
	switch {
	case s.Median >= 100 || s.Median == 0:
		return 0
	case s.Median >= 10:
		return 1
	default:
		return 2
	}
}

// WriteJSON writes the rows for programs.
func WriteJSON(w io.Writer, rows []Row) error {
	type line struct {
		ID      string  `json:"id"`
		Ours    float64 `json:"ours"`
		Against float64 `json:"against"`
		Ratio   float64 `json:"ratio"`
		Target  string  `json:"target"`
		OK      bool    `json:"ok"`
	}
	out := struct {
		Rows []line `json:"rows"`
	}{Rows: []line{}}
	for _, r := range rows {
		out.Rows = append(out.Rows, line{
			ID: r.ID, Ours: r.Ours.Median, Against: r.Against.Median, Ratio: r.Ratio.Median, Target: r.Target.String(), OK: r.OK(),
		})
	}
	return json.NewEncoder(w).Encode(out)
}
