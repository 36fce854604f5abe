package money_test

import (
	"math/big"
	"regexp"
	"strings"
	"testing"

	"github.com/qingcang/qingcang/services/internal/money"
)

// amount is what ParseYuan takes, said another way.
var amount = regexp.MustCompile(`^¥?[0-9]{1,10}(\.[0-9]{1,2})?$`)

// What is read is the number that stands there, to the fen, and it is written so that it is read again.
func FuzzParseYuan(f *testing.F) {
	for _, seed := range []string{"0", "12", "12.3", "¥12.34", "1000000000.00", "1000000000.01", "-1", "1e3", "١", "12.345", ".5", "5.", "¥¥1", "0000000001.1"} {
		f.Add(seed)
	}
	most := new(big.Rat).SetInt64(money.MaxYuan)
	f.Fuzz(func(t *testing.T, text string) {
		got, err := money.ParseYuan(text)
		want, ok := new(big.Rat), amount.MatchString(text)
		if ok {
			if _, isNumber := want.SetString(strings.TrimPrefix(text, "¥")); !isNumber {
				t.Fatalf("%q is no number", text)
			}
			ok = want.Cmp(most) <= 0
		}
		if ok != (err == nil) {
			t.Fatalf("%q: got %d, %v; want an amount: %t", text, got, err, ok)
		}
		if err != nil {
			return
		}
		if new(big.Rat).SetFrac64(int64(got), 100).Cmp(want) != 0 {
			t.Fatalf("%q is read as %d fen", text, got)
		}
		if again, err := money.ParseYuan(got.String()); err != nil || again != got {
			t.Fatalf("%s is read as %d, %v", got, again, err)
		}
	})
}
