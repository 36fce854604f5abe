package money

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/qingcang/qingcang/services/internal/fault"
)

// MaxParts bounds the number of weights of one apportionment.
const MaxParts = 10_000

var errWeights = fault.New(fault.Invalid, "bad_weights", "weights are 1 to 10000 numbers, none negative, not all zero, with a sum under 2^63")

// Apportion shares total out in proportion to weights by the largest
// remainder; equal remainders go to the earlier weight. The parts add up to
// total, and a weight of zero gets nothing. A negative total is shared out
// like the positive one, with the sign turned.
func Apportion(total Fen, weights []int64) ([]Fen, error) {
	sum, err := sumWeights(weights)
	if err != nil {
		return nil, err
	}
	if total < 0 {
		return negated(total, weights)
	}
	parts := make([]Fen, len(weights))
	remainders := make([]uint64, len(weights))
	left := total
	for i, w := range weights {
		hi, lo := bits.Mul64(uint64(total), uint64(w))
		quotient, remainder := bits.Div64(hi, lo, sum) // hi < sum, because w <= sum and total < 2^63
		parts[i], remainders[i] = Fen(quotient), remainder
		left -= parts[i]
	}
	order := make([]int, len(weights))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(remainders[b], remainders[a]) })
	// left is under the number of non-zero remainders, so no part grows twice.
	for _, i := range order[:left] {
		parts[i]++
	}
	return parts, nil
}

func negated(total Fen, weights []int64) ([]Fen, error) {
	if total == -total {
		return nil, errOverflow // the least int64 has no opposite
	}
	parts, err := Apportion(-total, weights)
	for i := range parts {
		parts[i] = -parts[i]
	}
	return parts, err
}

func sumWeights(weights []int64) (uint64, error) {
	if len(weights) == 0 || len(weights) > MaxParts {
		return 0, errWeights
	}
	var sum int64
	for _, w := range weights {
		if w < 0 || sum+w < sum {
			return 0, errWeights
		}
		sum += w
	}
	if sum == 0 {
		return 0, errWeights
	}
	return uint64(sum), nil
}
