package testkit_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/testkit"
)

// recorder is a test that notes how it fails instead of ending.
type recorder struct {
	testing.TB
	failed string
}

func (r *recorder) Helper() {}
func (r *recorder) Fatalf(format string, _ ...any) {
	r.failed = format
	panic(r)
}

func fails(t *testing.T, fn func(testing.TB)) (with string) {
	t.Helper()
	r := &recorder{TB: t}
	defer func() {
		if cause := recover(); cause != nil && cause != any(r) {
			panic(cause)
		}
		with = r.failed
	}()
	fn(r)
	return r.failed
}

func TestEventuallyWaitsForTheCondition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		testkit.Eventually(t, time.Minute, func() error {
			if time.Since(start) < 30*time.Second {
				return errors.New("not yet")
			}
			return nil
		})
	})
}

func TestEventuallyFailsAtTheTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		if fails(t, func(tb testing.TB) {
			testkit.Eventually(tb, time.Second, func() error { return errors.New("never") })
		}) == "" {
			t.Fatal("it did not fail")
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Fatalf("it took %s", took)
		}
	})
}

func TestWithoutAnAddressATestFailsWithOneSentence(t *testing.T) {
	for name, fn := range map[string]func(testing.TB){
		"MONGODB_URI":   func(tb testing.TB) { testkit.Mongo(tb) },
		"KAFKA_BROKERS": func(tb testing.TB) { testkit.Brokers(tb) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, "")
			if with := fails(t, fn); with != "set %s (./hack/test starts the embedded stack and sets it)" {
				t.Fatalf("it failed with %q", with)
			}
		})
	}
}

func TestNoTwoTestsShareAPrefix(t *testing.T) {
	if one, two := testkit.Prefix(t), testkit.Prefix(t); one == two {
		t.Fatalf("both got %s", one)
	}
}

func TestTheIssuersTokenIsAStaffToken(t *testing.T) {
	issuer := testkit.StartIssuer(t)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Authorization", "Bearer "+issuer.Token(t, "carrier"))
	p, err := auth.NewStaffVerifier(issuer.URL, testkit.Audience, nil).Authenticate(r)
	if err != nil || !p.Is("carrier") || p.Is("finance") {
		t.Fatalf("got %+v, %v", p, err)
	}
}
