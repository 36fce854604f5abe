// Package money counts in integer fen and splits exactly: the sum of the parts
// is always the whole. It is pure and knows nothing of accounts.
package money

import (
	"math"
	"math/bits"
	"strconv"
	"strings"

	"github.com/qingcang/qingcang/services/internal/fault"
)

// Fen is an amount in Chinese fen, 1/100 yuan.
type Fen int64

// Bps is a rate in basis points, 1/10,000. A valid rate is 0 to MaxBps.
type Bps int32

// MaxBps is the whole.
const MaxBps Bps = 10_000

// MaxYuan bounds what ParseYuan accepts, in yuan: a billion. It leaves room to
// multiply by any realistic quantity without overflow.
const MaxYuan = 1_000_000_000

var (
	errOverflow = fault.New(fault.Unprocessable, "amount_too_large", "the amount does not fit in 63 bits of fen")
	errYuan     = fault.New(fault.Invalid, "bad_amount", "an amount is digits with at most two decimals, such as 12.34, and at most 1000000000.00")
	errRate     = fault.New(fault.Invalid, "bad_rate", "a rate is 0 to 10000 basis points")
)

// String writes the amount as yuan: "¥12.34", "-¥0.05".
func (f Fen) String() string {
	sign, abs := "", uint64(f)
	if f < 0 {
		sign, abs = "-", -abs // two's complement: right for the least int64 too
	}
	cents := abs % 100
	return sign + "¥" + strconv.FormatUint(abs/100, 10) + "." + string([]byte{'0' + byte(cents/10), '0' + byte(cents%10)})
}

// Add returns f + g, or an error if it overflows.
func (f Fen) Add(g Fen) (Fen, error) {
	sum := f + g
	if (sum > f) != (g > 0) && g != 0 {
		return 0, errOverflow
	}
	return sum, nil
}

// Mul returns f × n, or an error if it overflows.
func (f Fen) Mul(n int64) (Fen, error) {
	hi, lo := bits.Mul64(magnitude(int64(f)), magnitude(n))
	if hi != 0 || lo > math.MaxInt64 {
		return 0, errOverflow
	}
	if (f < 0) != (n < 0) {
		return -Fen(lo), nil
	}
	return Fen(lo), nil
}

// Check refuses a rate outside 0 to 10,000.
func (b Bps) Check() error {
	if b < 0 || b > MaxBps {
		return errRate
	}
	return nil
}

// ParseYuan reads "12", "12.3", "12.34" or "¥12.34". It accepts no sign, no
// thousands separator, no exponent and nothing over MaxYuan.
func ParseYuan(s string) (Fen, error) {
	s = strings.TrimPrefix(s, "¥")
	whole, frac, dotted := strings.Cut(s, ".")
	if !digits(whole, 10) || (dotted && !digits(frac, 2)) {
		return 0, errYuan
	}
	yuan, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || yuan > MaxYuan {
		return 0, errYuan
	}
	for len(frac) < 2 {
		frac += "0"
	}
	cents := int64(frac[0]-'0')*10 + int64(frac[1]-'0')
	if yuan == MaxYuan && cents > 0 {
		return 0, errYuan
	}
	return Fen(yuan*100 + cents), nil
}

// digits reports whether s is 1 to limit ASCII digits.
func digits(s string, limit int) bool {
	if s == "" || len(s) > limit {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// magnitude is |n| without the overflow of -n at the least int64.
func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}
