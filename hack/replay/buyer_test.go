package main

import (
	"maps"
	"testing"

	"github.com/qingcang/qingcang/hack/internal/retail"
)

func TestARowComesBackFromTheNewestOrdersWholeOrNotAtAll(t *testing.T) {
	tests := map[string]struct {
		left  []map[string]int64 // of each order, the oldest first
		units int64
		want  map[int]int64 // units by order; nil: nothing to return
	}{
		"the newest order has enough":             {[]map[string]int64{{"A": 5}, {"A": 5}}, 3, map[int]int64{1: 3}},
		"the newest has too few":                  {[]map[string]int64{{"A": 5}, {"A": 2}}, 3, map[int]int64{1: 2, 0: 1}},
		"the newest has other goods":              {[]map[string]int64{{"A": 5}, {"B": 5}}, 3, map[int]int64{0: 3}},
		"all orders together have too few":        {[]map[string]int64{{"A": 1}, {"A": 1}}, 3, nil},
		"a buyer without orders has nothing":      {nil, 1, nil},
		"what came back before cannot come again": {[]map[string]int64{{"A": 0}}, 1, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := &customer{}
			place := map[*bought]int{}
			for i, left := range tt.left {
				b := &bought{left: left}
				place[b] = i
				c.bought = append(c.bought, b)
			}
			var got map[int]int64
			if found := c.find(retail.Line{SKU: "A", Units: tt.units}); found != nil {
				got = map[int]int64{}
				for b, units := range found {
					got[place[b]] = units
				}
			}
			if !maps.Equal(got, tt.want) || (got == nil) != (tt.want == nil) {
				t.Errorf("want %v, got %v", tt.want, got)
			}
		})
	}
}
