package ids_test

import (
	"regexp"
	"testing"

	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/ids"
)

// canonical is an id said another way: 128 bits in lower-case Crockford base 32, so that the first of
// the 26 characters carries three bits.
var canonical = regexp.MustCompile(`^ord_[0-7][0-9a-hjkmnp-tv-z]{25}$`)

// An id has one spelling: else one order would have two, with two keys in every table.
func FuzzCheck(f *testing.F) {
	good := ids.Derive("ord", "seed")
	for _, seed := range []string{good, "", "ord_", "ORD" + good[3:], good + "0", "pay" + good[3:], "ord_8zzzzzzzzzzzzzzzzzzzzzzzzz", "ord_0000000000000000000000000l", good[4:]} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, id string) {
		err := ids.Check("ord", id)
		if passes := err == nil; passes != canonical.MatchString(id) {
			t.Fatalf("%q passes: %t", id, passes)
		}
		if err != nil && fault.KindOf(err) != fault.Invalid {
			t.Fatalf("%q: %v is no fault of who asks", id, err)
		}
	})
}
