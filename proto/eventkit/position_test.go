package eventkit

import (
	"errors"
	"testing"

	"pgregory.net/rapid"
)

func FuzzParsePosition(f *testing.F) {
	for _, seed := range []string{"", "/", "a/1/2", "order/3/17/0", "a/01/0", "a/-1/0", "a/1/4294967296", "lanes.shared.v1/0/18446744073709551615/0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, id string) {
		p, err := ParsePosition(id)
		if err != nil {
			if !errors.Is(err, ErrUndecodable) {
				t.Fatalf("%q fails with %v, want ErrUndecodable", id, err)
			}
			return
		}
		if p.String() != id {
			t.Fatalf("%q is read as %q: one event has two ids", id, p)
		}
	})
}

func TestPositionsAreReadAsTheyAreWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := Position{
			Source: rapid.StringMatching(`[a-z.]{1,10}(/[0-9]{1,3})?`).Draw(t, "source"),
			Seq:    rapid.Uint64().Draw(t, "seq"), Index: rapid.Uint32().Draw(t, "index"),
		}
		got, err := ParsePosition(want.String())
		if err != nil || got != want {
			t.Fatalf("%s is read as %v, %v", want, got, err)
		}
	})
}

func TestPositionsOfASourceAreOrderedBySeqThenIndex(t *testing.T) {
	for name, test := range map[string]struct {
		p, q Position
		want bool
	}{
		"a later batch stands behind":             {Position{Seq: 2}, Position{Seq: 1, Index: 9}, true},
		"a later fact of a batch stands behind":   {Position{Seq: 1, Index: 1}, Position{Seq: 1}, true},
		"a position does not stand behind itself": {Position{Seq: 1}, Position{Seq: 1}, false},
		"an earlier batch does not stand behind":  {Position{Seq: 1, Index: 9}, Position{Seq: 2}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.p.After(test.q); got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
}
