package trial

import (
	"slices"
	"testing"

	"github.com/qingcang/qingcang/hack/bench/internal/systems"
)

func TestInterleaveGoesForwardsAndBackwards(t *testing.T) {
	var got []int
	err := Interleave(2, 4, func(i int) error { got = append(got, i); return nil })
	if want := []int{0, 1, 1, 0, 0, 1, 1, 0}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

func TestStockFaults(t *testing.T) {
	sale := systems.Sale{Units: 2}
	for name, test := range map[string]struct {
		books systems.Books
		want  Audit
	}{
		"all sold is right":                    {books: systems.Books{Orders: map[string]int64{"a": 1, "b": 1}}},
		"more than the stock is oversold":      {books: systems.Books{Orders: map[string]int64{"a": 1, "b": 2}}, want: Audit{Oversold: 1}},
		"stock that nobody took off oversells": {books: systems.Books{Orders: map[string]int64{"a": 1}, Left: 2}, want: Audit{Oversold: 1}},
		"stock without an order is undersold":  {books: systems.Books{Orders: map[string]int64{"a": 1}, Left: 0}, want: Audit{Undersold: 1}},
		"an order that counts twice":           {books: systems.Books{Orders: map[string]int64{"a": 2}, Duplicates: 1}, want: Audit{Duplicates: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := stockFaults(sale, test.books); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}
