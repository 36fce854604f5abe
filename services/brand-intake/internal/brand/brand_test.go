package brand_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/qingcang/qingcang/services/brand-intake/internal/brand"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/ids"
)

var wish = brand.Application{BrandID: "brand_a", Name: " Yunshan ", ContactID: "per_a", BodyHash: 7}

// step is one decision about a brand.
type step func(*brand.Brand) ([]proto.Message, error)

func apply(a brand.Application) step {
	return func(b *brand.Brand) ([]proto.Message, error) { return brand.Apply(b, a) }
}

func approve(b *brand.Brand) ([]proto.Message, error) { return brand.Approve(b, "staff-1") }

func suspend(b *brand.Brand) ([]proto.Message, error) {
	return brand.Suspend(b, "staff-1", "no licence")
}

func issue(keyID string) step {
	return func(b *brand.Brand) ([]proto.Message, error) { return brand.IssueKey(b, keyID, []byte("hash")) }
}

func revoke(keyID string) step {
	return func(b *brand.Brand) ([]proto.Message, error) { return brand.RevokeKey(b, keyID) }
}

// play folds the facts of all steps and returns the outcome of the last.
func play(steps []step) (b *brand.Brand, facts int, err error) {
	b = &brand.Brand{}
	for _, s := range steps {
		decided, failed := s(b)
		facts, err = len(decided), failed
		for _, f := range decided {
			b.Fold(f)
		}
	}
	return b, facts, err
}

func TestDecisions(t *testing.T) {
	otherBody := wish
	otherBody.BodyHash = 8
	nameless := wish
	nameless.Name = "  "
	long := wish
	long.Name = strings.Repeat("长", brand.MaxNameRunes+1)
	tenKeys := []step{apply(wish), approve}
	for n := range brand.MaxKeys {
		tenKeys = append(tenKeys, issue(string(rune('a'+n))))
	}
	cases := map[string]struct {
		steps     []step
		wantState brand.State
		wantFacts int
		wantCode  string
	}{
		"an application waits for operations":          {[]step{apply(wish)}, brand.Applied, 1, ""},
		"the same application again changes nothing":   {[]step{apply(wish), apply(wish)}, brand.Applied, 0, ""},
		"another body under the key is refused":        {[]step{apply(wish), apply(otherBody)}, brand.Applied, 0, "idempotency_key_reused"},
		"a brand without a name is refused":            {[]step{apply(nameless)}, "", 0, "bad_name"},
		"a name of 101 characters is refused":          {[]step{apply(long)}, "", 0, "bad_name"},
		"an approved brand is approved":                {[]step{apply(wish), approve}, brand.Approved, 1, ""},
		"approving twice changes nothing":              {[]step{apply(wish), approve, approve}, brand.Approved, 0, ""},
		"a brand that never applied is not approved":   {[]step{approve}, "", 0, "brand_unknown"},
		"a suspended brand is suspended":               {[]step{apply(wish), approve, suspend}, brand.Suspended, 1, ""},
		"a suspended brand can be taken back in":       {[]step{apply(wish), approve, suspend, approve}, brand.Approved, 1, ""},
		"an approved brand gets a key":                 {[]step{apply(wish), approve, issue("k")}, brand.Approved, 1, ""},
		"a brand that only applied gets no key":        {[]step{apply(wish), issue("k")}, brand.Applied, 0, "brand_not_approved"},
		"a key is shown once":                          {[]step{apply(wish), approve, issue("k"), issue("k")}, brand.Approved, 0, "key_already_shown"},
		"a revoked key is not shown again either":      {[]step{apply(wish), approve, issue("k"), revoke("k"), issue("k")}, brand.Approved, 0, "key_already_shown"},
		"a brand has ten valid keys at most":           {append(slices.Clip(tenKeys), issue("eleven")), brand.Approved, 0, "too_many_keys"},
		"revoking makes room for another":              {append(slices.Clip(tenKeys), revoke("a"), issue("eleven")), brand.Approved, 1, ""},
		"revoking twice changes nothing":               {[]step{apply(wish), approve, issue("k"), revoke("k"), revoke("k")}, brand.Approved, 0, ""},
		"a key that was never issued is not found":     {[]step{apply(wish), approve, revoke("k")}, brand.Approved, 0, "key_unknown"},
		"a brand that never applied cannot be stopped": {[]step{suspend}, "", 0, "brand_unknown"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			b, facts, err := play(c.steps)
			code := ""
			if f, ok := fault.As(err); ok {
				code = f.Code
			}
			if b.State != c.wantState || facts != c.wantFacts || code != c.wantCode {
				t.Errorf("got state %q, %d facts, code %q; want %q, %d, %q", b.State, facts, code, c.wantState, c.wantFacts, c.wantCode)
			}
		})
	}
}

func TestKeys(t *testing.T) {
	keyID := ids.Derive(brand.KeyPrefix, "one")
	key := brand.FormatKey(keyID, bytes.Repeat([]byte{7}, brand.SecretBytes))
	b, _, err := play([]step{apply(wish), approve, func(b *brand.Brand) ([]proto.Message, error) {
		return brand.IssueKey(b, keyID, brand.HashKey(key))
	}})
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := brand.KeyID(key); !ok || got != keyID {
		t.Fatalf("the key names %q, want %q", got, keyID)
	}
	if !b.Opens(keyID, key) {
		t.Error("the right key does not open")
	}
	if b.Opens(keyID, key[:len(key)-1]+"A") {
		t.Error("a key with another last character opens")
	}
	facts, err := brand.RevokeKey(b, keyID)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range facts {
		b.Fold(f)
	}
	if b.Opens(keyID, key) {
		t.Error("a revoked key opens")
	}
}

func TestWhatIsNoKey(t *testing.T) {
	good := brand.FormatKey(ids.Derive(brand.KeyPrefix, "one"), make([]byte, brand.SecretBytes))
	for name, key := range map[string]string{
		"nothing":                 "",
		"a token of another kind": "eyJhbGciOiJSUzI1NiJ9.e30.c2ln",
		"a key without secret":    strings.Split(good, ".")[0],
		"a key with a short one":  good[:len(good)-1],
		"a key with a long one":   good + "A",
		"a key of another id":     "qck_brand_x." + strings.Split(good, ".")[1],
	} {
		t.Run(name+" names no key", func(t *testing.T) {
			if id, ok := brand.KeyID(key); ok {
				t.Errorf("got %q", id)
			}
		})
	}
}

func TestMaySubmit(t *testing.T) {
	for name, c := range map[string]struct {
		steps []step
		want  error
	}{
		"a stranger may not submit":        {nil, brand.ErrUnknown},
		"an approved brand may submit":     {[]step{apply(wish), approve}, nil},
		"a suspended brand may not":        {[]step{apply(wish), approve, suspend}, fault.New(fault.Conflict, "brand_suspended", "")},
		"a brand that only applied cannot": {[]step{apply(wish)}, fault.New(fault.Conflict, "brand_not_approved", "")},
	} {
		t.Run(name, func(t *testing.T) {
			b, _, _ := play(c.steps)
			if err := b.MaySubmit(); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}
