package card

import (
	"strings"
	"testing"
)

func TestSpread(t *testing.T) {
	for name, test := range map[string]struct {
		values []float64
		want   Spread
	}{
		"an odd number has a middle":          {values: []float64{3, 1, 2}, want: Spread{Median: 2, Min: 1, Max: 3}},
		"an even number has a mean of middle": {values: []float64{4, 1, 2, 3}, want: Spread{Median: 2.5, Min: 1, Max: 4}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Of(test.values...); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestARowIsOK(t *testing.T) {
	for name, test := range map[string]struct {
		row  Row
		want bool
	}{
		"on its limit":                {row: Row{Ratio: Of(1.5), Target: AtMost(1.5)}, want: true},
		"not behind it":               {row: Row{Ratio: Of(1.51), Target: AtMost(1.5)}},
		"not short of a least":        {row: Row{Ratio: Of(0.64), Target: AtLeast(0.65)}},
		"not when it misses the rest": {row: Row{Ratio: Of(0.5), Target: AtMost(1), Misses: "over 1 s"}},
		"without a target, whatever":  {row: Row{Ratio: Of(9), Target: Info}, want: true},
		"not when void, however good": {row: Row{Ratio: Of(0.1), Target: AtMost(1), Void: "oversold"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.row.OK(); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestMarkdownHasALineForEachRow(t *testing.T) {
	var out strings.Builder
	if err := Markdown(&out, []Row{{ID: "a", Unit: "µs", Ours: Of(2), Against: Of(4), Ratio: Of(0.5), Target: AtMost(1.5), Note: "why  "}}); err != nil {
		t.Fatal(err)
	}
	if want := "| `a` | 2.00 | 4.00 | µs | 0.50 | ≤ 1.5 | ok | why |\n"; !strings.HasSuffix(out.String(), want) {
		t.Errorf("got %s, want it to end with %s", out.String(), want)
	}
}

func TestJSONHasTheFieldsThatWerePromised(t *testing.T) {
	var out strings.Builder
	if err := WriteJSON(&out, []Row{{ID: "a", Ours: Of(2), Against: Of(4), Ratio: Of(0.5), Target: AtMost(1.5)}}); err != nil {
		t.Fatal(err)
	}
	want := `{"rows":[{"id":"a","ours":2,"against":4,"ratio":0.5,"target":"≤ 1.5","ok":true}]}` + "\n"
	if out.String() != want {
		t.Errorf("got %s, want %s", out.String(), want)
	}
}
