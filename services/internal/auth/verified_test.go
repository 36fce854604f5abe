package auth_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"pgregory.net/rapid"

	"github.com/qingcang/qingcang/services/internal/auth"
)

// Whoever has seen a token before and whoever has not give the same verdict at any time.
func TestARememberedTokenIsCheckedForItsTimeAgain(t *testing.T) {
	fresh := func() *auth.Keys { return keysOf(t, "k1") }
	rapid.Check(t, func(t *rapid.T) {
		seconds := rapid.Int64Range(-200, 200)
		at := func(name string) *jwt.NumericDate {
			return jwt.NewNumericDate(noon.Add(time.Duration(seconds.Draw(t, name)) * time.Second))
		}
		claims := jwt.RegisteredClaims{Subject: "per_1", Audience: jwt.ClaimStrings{auth.Buyer}, ExpiresAt: at("exp")}
		if rapid.Bool().Draw(t, "has iat") {
			claims.IssuedAt = at("iat")
		}
		if rapid.Bool().Draw(t, "has nbf") {
			claims.NotBefore = at("nbf")
		}
		token := jwt.NewWithClaims(jwt.SigningMethodHS256, claims)
		token.Header["kid"] = "k1"
		signed, err := token.SignedString([]byte(strings.Repeat("k1", 32)))
		if err != nil {
			t.Fatal(err)
		}
		keys := fresh()
		for i := range 6 {
			now := noon.Add(time.Duration(rapid.Int64Range(-400_000, 400_000).Draw(t, fmt.Sprint("ms ", i))) * time.Millisecond)
			got, gotErr := auth.Verify(keys, auth.Buyer, signed, now)
			want, wantErr := auth.Verify(fresh(), auth.Buyer, signed, now)
			if got.Subject != want.Subject || errors.Is(gotErr, auth.ErrBadToken) != errors.Is(wantErr, auth.ErrBadToken) {
				t.Fatalf("at %s it says %v, %v; who sees it for the first time says %v, %v", now, got, gotErr, want, wantErr)
			}
		}
	})
}

func TestARememberedTokenIsGoodForNothingElse(t *testing.T) {
	keys := keysOf(t, "k1")
	good := sign(t, keys, auth.Claims{Subject: "per_1", Audience: auth.Buyer})
	if _, err := auth.Verify(keys, auth.Buyer, good, noon); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		keys            *auth.Keys
		audience, token string
	}{
		"for another audience":              {keys, auth.Owner, good},
		"with one character changed":        {keys, auth.Buyer, good[:len(good)-1] + "~"},
		"with something behind":             {keys, auth.Buyer, good + "A"},
		"where its key is not known":        {keysOf(t, "k2"), auth.Buyer, good},
		"with the signature of another one": {keys, auth.Buyer, good[:len(good)-43] + sign(t, keys, auth.Claims{Subject: "per_2", Audience: auth.Buyer})[len(good)-43:]},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := auth.Verify(c.keys, c.audience, c.token, noon); !errors.Is(err, auth.ErrBadToken) {
				t.Fatalf("got %+v, %v", got, err)
			}
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	keys := keysOf(b, "k1")
	token := sign(b, keys, auth.Claims{Subject: "per_1", Audience: auth.Buyer})
	b.Run("a token that came before", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := auth.Verify(keys, auth.Buyer, token, noon); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("a new token", func(b *testing.B) {
		tokens := make([]string, 1<<12)
		for i := range tokens {
			tokens[i] = sign(b, keys, auth.Claims{Subject: fmt.Sprint("per_", i), Audience: auth.Buyer})
		}
		b.ReportAllocs()
		n := 0
		for b.Loop() {
			if n%len(tokens) == 0 {
				keys = keysOf(b, "k1")
			}
			if _, err := auth.Verify(keys, auth.Buyer, tokens[n%len(tokens)], noon); err != nil {
				b.Fatal(err)
			}
			n++
		}
	})
}
