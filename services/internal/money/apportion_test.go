package money_test

import (
	"math"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/qingcang/qingcang/services/internal/money"
)

func TestApportion(t *testing.T) {
	for name, c := range map[string]struct {
		total   money.Fen
		weights []int64
		want    []money.Fen
	}{
		"a fen that does not divide goes to the earlier": {100, []int64{1, 1, 1}, []money.Fen{34, 33, 33}},
		"the largest remainder comes first":              {10, []int64{1, 5, 3}, []money.Fen{1, 6, 3}},
		"a weight of zero gets nothing":                  {7, []int64{0, 3, 0}, []money.Fen{0, 7, 0}},
		"a negative total is turned round":               {-100, []int64{1, 1, 1}, []money.Fen{-34, -33, -33}},
		"nothing is shared as nothing":                   {0, []int64{1, 2}, []money.Fen{0, 0}},
		"the largest numbers do not overflow":            {math.MaxInt64, []int64{math.MaxInt64 - 1, 1}, []money.Fen{math.MaxInt64 - 1, 1}},
		"no weights are refused":                         {1, nil, nil},
		"zero weights are refused":                       {1, []int64{0, 0}, nil},
		"a negative weight is refused":                   {1, []int64{2, -1}, nil},
		"weights that overflow are refused":              {1, []int64{math.MaxInt64, 1}, nil},
		"the least total is refused":                     {math.MinInt64, []int64{1}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := money.Apportion(c.total, c.weights)
			if (err == nil) != (c.want != nil) || !slices.Equal(got, c.want) {
				t.Fatalf("got %v, %v; want %v", got, err, c.want)
			}
		})
	}
}

func TestThePartsAreTheWholeAndWithinAFenOfTheirShare(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.Int64Range(-1<<62, 1<<62).Draw(t, "total")
		weights := rapid.SliceOfN(rapid.Int64Range(0, 1<<40), 1, 50).Draw(t, "weights")
		weights[0]++
		parts, err := money.Apportion(money.Fen(total), weights)
		if err != nil {
			t.Fatal(err)
		}
		var sum, weight int64
		for _, w := range weights {
			weight += w
		}
		for i, part := range parts {
			sum += int64(part)
			// |part × weight − total × w| < weight: less than one fen off.
			off := new(big.Int).Mul(big.NewInt(int64(part)), big.NewInt(weight))
			off.Sub(off, new(big.Int).Mul(big.NewInt(total), big.NewInt(weights[i])))
			if off.CmpAbs(big.NewInt(weight)) >= 0 {
				t.Fatalf("part %d of %v by %v is %d", i, total, weights, part)
			}
		}
		if sum != total {
			t.Fatalf("%v by %v gives %v, which is %d", total, weights, parts, sum)
		}
	})
}
