package ids_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/ids"
)

// What is stored under these ids and shards stays there for ever: if one of
// these values changes, the code is wrong, not the test.
func TestDerivedIDsAndShardsNeverChange(t *testing.T) {
	for want, got := range map[string]string{
		"ord_5nywrgzcxxdjvgszx7yac8ydxd":  ids.Derive("ord", "buyer/per_1", "POST /v1/orders", "8c0c", "key-0001"),
		"pay_0bqsn1zcdrespwk5bf53fpybzp":  ids.Derive("pay", "ord_1"),
		"ship_5fanrfb8c11dxff35f9f3gmsgf": ids.Derive("ship", ""),
	} {
		if got != want {
			t.Errorf("derived %s, want %s", got, want)
		}
	}
	for key, want := range map[string]int{"": 5, "brand_1": 6, "per_1": 0, "ord_1": 4, "款号": 0} {
		if got := ids.Shard(key, 8); got != want {
			t.Errorf("%q is in shard %d, want %d", key, got, want)
		}
	}
	if got := ids.BodyHash([]byte("{}")); got != 0x44136fa355b3678a {
		t.Errorf("the hash is %#x", got)
	}
}

func TestPartsThatAreCutElsewhereGiveAnotherID(t *testing.T) {
	seen := map[string][]string{}
	for _, parts := range [][]string{{"ab", "c"}, {"a", "bc"}, {"abc"}, {"abc", ""}, {"", "abc"}, {}, {""}} {
		id := ids.Derive("ord", parts...)
		if other, taken := seen[id]; taken {
			t.Errorf("%q and %q give the same id", parts, other)
		}
		seen[id] = parts
	}
}

func TestIDsFitWeChatAndPassTheirCheck(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prefix := rapid.StringMatching(`[a-z]{1,5}`).Draw(t, "prefix")
		parts := rapid.SliceOf(rapid.String()).Draw(t, "parts")
		for _, id := range []string{ids.New(prefix), ids.Derive(prefix, parts...)} {
			if len(id) > 32 {
				t.Fatalf("%s has %d characters", id, len(id))
			}
			if err := ids.Check(prefix, id); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestCheckRefuses(t *testing.T) {
	good := ids.Derive("ord", "x")
	for name, id := range map[string]string{
		"nothing":               "",
		"another prefix":        ids.Derive("pay", "x"),
		"no prefix":             good[4:],
		"a character too few":   good[:len(good)-1],
		"a character too many":  good + "0",
		"upper case":            "ord_" + "2X4Y6Z8A0B1C2D3E4F5G6H7J8K",
		"a letter that is none": good[:len(good)-1] + "u",
		"a megabyte":            good + string(make([]byte, 1<<20)),
	} {
		t.Run(name, func(t *testing.T) {
			if err := ids.Check("ord", id); fault.KindOf(err) != fault.Invalid || err == nil {
				t.Fatalf("got %v", err)
			}
		})
	}
}

func TestShardsAreEvenlyFilled(t *testing.T) {
	var count [8]int
	for range 8_000 {
		count[ids.Shard(ids.New("ord"), len(count))]++
	}
	for shard, n := range count {
		if n < 800 || n > 1_200 {
			t.Errorf("shard %d has %d of 8000", shard, n)
		}
	}
}
