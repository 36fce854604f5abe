package auth_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/qingcang/qingcang/services/internal/auth"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// keysOf makes keys whose secrets are their ids, repeated.
func keysOf(t testing.TB, active string, others ...string) *auth.Keys {
	t.Helper()
	secrets := map[string][]byte{}
	for _, kid := range append(others, active) {
		secrets[kid] = []byte(strings.Repeat(kid, 32))
	}
	keys, err := auth.NewKeys(secrets, active)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func sign(t testing.TB, keys *auth.Keys, c auth.Claims) string {
	t.Helper()
	token, err := auth.Sign(keys, c, time.Hour, noon)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestATokenSaysWhatWasSigned(t *testing.T) {
	want := auth.Claims{Subject: "per_1", Audience: auth.Owner, ID: "t1", Roles: []string{"lead"}, Payer: "k1.sealed"}
	got, err := auth.Verify(keysOf(t, "k2", "k1"), auth.Owner, sign(t, keysOf(t, "k1"), want), noon.Add(time.Minute))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("got %+v, %v", got, err)
	}
}

func TestATokenIsRefused(t *testing.T) {
	keys := keysOf(t, "k1")
	buyer := auth.Claims{Subject: "per_1", Audience: auth.Buyer}
	good := sign(t, keys, buyer)
	head, rest, _ := strings.Cut(good, ".")
	payload, mac, _ := strings.Cut(rest, ".")
	forge := func(method jwt.SigningMethod, key any, kid string, claims jwt.MapClaims) string {
		token := jwt.NewWithClaims(method, claims)
		token.Header["kid"] = kid
		s, err := token.SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	secret := []byte(strings.Repeat("k1", 32))
	exp := noon.Add(time.Hour).Unix()
	for name, c := range map[string]struct {
		token string
		now   time.Time
	}{
		"after it expired":          {good, noon.Add(time.Hour + time.Minute)},
		"before it was issued":      {good, noon.Add(-time.Hour)},
		"for another audience":      {sign(t, keys, auth.Claims{Subject: "per_1", Audience: auth.Owner}), noon},
		"of a key that is gone":     {sign(t, keysOf(t, "k0"), buyer), noon},
		"without a signature":       {head + "." + payload + ".", noon},
		"with another payload":      {head + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"per_2","aud":["buyer"],"exp":9999999999}`)) + "." + mac, noon},
		"with the algorithm none":   {forge(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, "k1", jwt.MapClaims{"sub": "x", "aud": "buyer", "exp": exp}), noon},
		"with a longer hash":        {forge(jwt.SigningMethodHS512, secret, "k1", jwt.MapClaims{"sub": "x", "aud": "buyer", "exp": exp}), noon},
		"without an end":            {forge(jwt.SigningMethodHS256, secret, "k1", jwt.MapClaims{"sub": "x", "aud": "buyer"}), noon},
		"without a subject":         {forge(jwt.SigningMethodHS256, secret, "k1", jwt.MapClaims{"aud": "buyer", "exp": exp}), noon},
		"without an audience":       {forge(jwt.SigningMethodHS256, secret, "k1", jwt.MapClaims{"sub": "x", "exp": exp}), noon},
		"without a key id":          {forge(jwt.SigningMethodHS256, secret, "", jwt.MapClaims{"sub": "x", "aud": "buyer", "exp": exp}), noon},
		"that is empty":             {"", noon},
		"that is longer than sense": {strings.Repeat("a", 1<<20), noon},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := auth.Verify(keys, auth.Buyer, c.token, c.now); !errors.Is(err, auth.ErrBadToken) {
				t.Fatalf("got %+v, %v", got, err)
			}
		})
	}
}

func TestSignRefusesAnIncompleteToken(t *testing.T) {
	for name, c := range map[string]struct {
		claims auth.Claims
		ttl    time.Duration
	}{
		"without a subject":   {auth.Claims{Audience: auth.Buyer}, time.Hour},
		"without an audience": {auth.Claims{Subject: "x"}, time.Hour},
		"without a lifetime":  {auth.Claims{Subject: "x", Audience: auth.Buyer}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := auth.Sign(keysOf(t, "k1"), c.claims, c.ttl, noon); err == nil {
				t.Fatal("it was signed")
			}
		})
	}
}

func TestAuthenticateReadsTheBearer(t *testing.T) {
	keys := keysOf(t, "k1")
	token, err := auth.Sign(keys, auth.Claims{Subject: "per_1", Audience: auth.Buyer}, time.Hour, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		header string
		want   error
	}{
		"a good token":                {"Bearer " + token, nil},
		"the scheme in small letters": {"bearer " + token, nil},
		"nothing":                     {"", auth.ErrNoCredentials},
		"another scheme":              {"Basic " + token, auth.ErrNoCredentials},
		"a scheme alone":              {"Bearer ", auth.ErrNoCredentials},
		"a megabyte":                  {"Bearer " + strings.Repeat("a", 1<<20), auth.ErrBadToken},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header.Set("Authorization", c.header)
			p, err := keys.Authenticate(auth.Buyer)(r)
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if err == nil && p.Scope() != "buyer/per_1" {
				t.Fatalf("the scope is %q", p.Scope())
			}
		})
	}
}

func FuzzVerify(f *testing.F) {
	keys := keysOf(f, "k1")
	good := sign(f, keys, auth.Claims{Subject: "per_1", Audience: auth.Buyer})
	f.Add(good)
	f.Add(good[:len(good)-2])
	f.Add("..")
	f.Add("")
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := auth.Verify(keys, auth.Buyer, token, noon); err == nil && token != good {
			t.Fatalf("%q passes", token)
		}
	})
}

func FuzzDecodeShare(f *testing.F) {
	keys := keysOf(f, "k1")
	good, err := auth.EncodeShare(keys, auth.ShareToken{ShareID: "s", Owner: "o", Campaign: "c", Style: "y"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good + "A")
	f.Add("AQ")
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := auth.DecodeShare(keys, token); err == nil && token != good {
			t.Fatalf("%q passes", token)
		}
	})
}
