package money_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/money"
)

func TestSplit(t *testing.T) {
	for name, c := range map[string]struct {
		terms money.Terms
		units int64
		want  money.Shares
		kind  fault.Kind
		ok    bool
	}{
		"an attributed sale pays the owner": {
			terms: money.Terms{Price: 9_900, Settlement: 6_930, Commission: 1_000, Attributed: true}, units: 2,
			want: money.Shares{Brand: 13_860, Owner: 1_980, Platform: 3_960}, ok: true,
		},
		"without attribution the platform keeps the owner's share": {
			terms: money.Terms{Price: 9_900, Settlement: 6_930, Commission: 1_000}, units: 2,
			want: money.Shares{Brand: 13_860, Platform: 5_940}, ok: true,
		},
		"the owner's share is rounded down on the whole line, not per unit": {
			terms: money.Terms{Price: 5, Settlement: 0, Commission: 1_000, Attributed: true}, units: 3,
			want: money.Shares{Owner: 1, Platform: 14}, ok: true,
		},
		"no units, no money":                    {terms: money.Terms{Price: 5, Commission: 1}, ok: true},
		"a price under settlement is refused":   {terms: money.Terms{Price: 5, Settlement: 6}, units: 1, kind: fault.Unprocessable},
		"commission over the margin is refused": {terms: money.Terms{Price: 100, Settlement: 95, Commission: 600, Attributed: true}, units: 1, kind: fault.Unprocessable},
		"negative units are refused":            {terms: money.Terms{Price: 5}, units: -1, kind: fault.Invalid},
		"too many units are refused":            {terms: money.Terms{Price: 5}, units: money.MaxUnits + 1, kind: fault.Invalid},
		"a rate over the whole is refused":      {terms: money.Terms{Price: 5, Commission: 10_001}, units: 1, kind: fault.Invalid},
		"a negative price is refused":           {terms: money.Terms{Price: -5}, units: 1, kind: fault.Unprocessable},
		"an overflow is refused":                {terms: money.Terms{Price: 1 << 40}, units: 1 << 29, kind: fault.Unprocessable},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := money.Split(c.terms, c.units)
			if (err == nil) != c.ok || got != c.want {
				t.Fatalf("got %+v, %v; want %+v", got, err, c.want)
			}
			if err != nil && fault.KindOf(err) != c.kind {
				t.Fatalf("the kind is %s, want %s", fault.KindOf(err), c.kind)
			}
		})
	}
}

// sellable draws terms under which the platform does not pay.
func sellable(t *rapid.T) money.Terms {
	price := rapid.Int64Range(0, 10_000_000).Draw(t, "price")
	bps := rapid.Int64Range(0, 10_000).Draw(t, "bps")
	return money.Terms{
		Price:      money.Fen(price),
		Settlement: money.Fen(rapid.Int64Range(0, price-(price*bps+9_999)/10_000).Draw(t, "settlement")),
		Commission: money.Bps(bps),
		Attributed: rapid.Bool().Draw(t, "attributed"),
	}
}

func TestTheSharesAddUpToThePrice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		terms := sellable(t)
		units := rapid.Int64Range(0, 100_000).Draw(t, "units")
		s, err := money.Split(terms, units)
		if err != nil {
			t.Fatal(err)
		}
		if s.Sum() != terms.Price*money.Fen(units) || s.Brand < 0 || s.Owner < 0 || s.Platform < 0 {
			t.Fatalf("%+v sold %d times gives %+v", terms, units, s)
		}
	})
}

func TestReversingInAnyStepsReturnsExactlyEverything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		terms := sellable(t)
		left := rapid.Int64Range(0, 500).Draw(t, "units")
		held, err := money.Split(terms, left)
		if err != nil {
			t.Fatal(err)
		}
		before := held
		for left > 0 {
			left -= rapid.Int64Range(1, left).Draw(t, "step")
			after, err := money.Split(terms, left)
			if err != nil {
				t.Fatal(err)
			}
			back := before.Sub(after)
			if back.Brand < 0 || back.Owner < 0 || back.Platform < 0 {
				t.Fatalf("a step gives %+v", back)
			}
			held, before = held.Sub(back), after
		}
		if held != (money.Shares{}) {
			t.Fatalf("%+v is left after everything went back", held)
		}
	})
}
