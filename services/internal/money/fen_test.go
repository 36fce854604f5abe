package money_test

import (
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/money"
)

func TestFenReadsAsYuan(t *testing.T) {
	for want, fen := range map[string]money.Fen{
		"¥0.00": 0, "¥0.05": 5, "¥398.00": 39_800, "-¥0.01": -1, "-¥12.34": -1234,
		"-¥92233720368547758.08": math.MinInt64, "¥92233720368547758.07": math.MaxInt64,
	} {
		if got := fen.String(); got != want {
			t.Errorf("%d is %s, want %s", int64(fen), got, want)
		}
	}
}

func TestParseYuan(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		want money.Fen
		ok   bool
	}{
		"whole yuan":                        {"12", 1200, true},
		"one decimal is ten fen":            {"12.3", 1230, true},
		"two decimals":                      {"0.05", 5, true},
		"with the sign of the currency":     {"¥398.00", 39_800, true},
		"the most":                          {"1000000000.00", 100_000_000_000, true},
		"a fen over the most":               {"1000000000.01", 0, false},
		"three decimals":                    {"1.234", 0, false},
		"a dot with nothing after it":       {"1.", 0, false},
		"a dot with nothing before it":      {".5", 0, false},
		"nothing":                           {"", 0, false},
		"a sign of the currency alone":      {"¥", 0, false},
		"a minus":                           {"-1", 0, false},
		"a plus":                            {"+1", 0, false},
		"a thousands separator":             {"1,000", 0, false},
		"an exponent":                       {"1e3", 0, false},
		"full-width digits":                 {"１２", 0, false},
		"spaces":                            {" 12", 0, false},
		"ten million digits are not a trap": {strings.Repeat("9", 10_000_000), 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := money.ParseYuan(c.in)
			if got != c.want || (err == nil) != c.ok {
				t.Fatalf("got %v, %v", got, err)
			}
			if err != nil && fault.KindOf(err) != fault.Invalid {
				t.Fatalf("the kind is %s", fault.KindOf(err))
			}
		})
	}
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := money.Fen(rapid.Int64Range(0, money.MaxYuan*100).Draw(t, "fen"))
		if got, err := money.ParseYuan(want.String()); err != nil || got != want {
			t.Fatalf("%s became %v, %v", want, got, err)
		}
	})
}

func TestArithmeticIsExactOrRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Int64().Draw(t, "a"), rapid.Int64().Draw(t, "b")
		sum, sumErr := money.Fen(a).Add(money.Fen(b))
		check(t, "sum", new(big.Int).Add(big.NewInt(a), big.NewInt(b)), sum, sumErr)
		product, productErr := money.Fen(a).Mul(b)
		exact := new(big.Int).Mul(big.NewInt(a), big.NewInt(b))
		if exact.Cmp(big.NewInt(math.MinInt64)) != 0 { // the one product that fits and is refused
			check(t, "product", exact, product, productErr)
		}
	})
}

func check(t *rapid.T, what string, exact *big.Int, got money.Fen, err error) {
	t.Helper()
	if exact.IsInt64() != (err == nil) {
		t.Fatalf("the %s is %s, and the error %v", what, exact, err)
	}
	if err == nil && int64(got) != exact.Int64() {
		t.Fatalf("the %s is %s, not %d", what, exact, got)
	}
}
