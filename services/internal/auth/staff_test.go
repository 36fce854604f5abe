package auth_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"github.com/qingcang/qingcang/services/internal/auth"
)

// issuer is an OIDC issuer with one key, which can be told to fail.
type issuer struct {
	*httptest.Server
	key  *rsa.PrivateKey
	down atomic.Bool
}

func startIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{key: key}
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if i.down.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		var answer any = jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "1", Algorithm: "RS256", Use: "sig"}}}
		if r.URL.Path == "/.well-known/openid-configuration" {
			answer = map[string]any{"issuer": i.URL, "jwks_uri": i.URL + "/keys", "id_token_signing_alg_values_supported": []string{"RS256"}}
		}
		_ = json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) token(t *testing.T, key crypto.Signer, change jwt.MapClaims) *http.Request {
	t.Helper()
	claims := jwt.MapClaims{
		"iss": i.URL, "aud": "qingcang", "sub": "alice", "jti": "t1", "roles": []string{"operations"},
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	}
	for name, value := range change {
		claims[name] = value
	}
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header["kid"] = "1"
	signed, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Authorization", "Bearer "+signed)
	return r
}

func TestAStaffTokenOfTheIssuerIsTaken(t *testing.T) {
	i := startIssuer(t)
	p, err := auth.NewStaffVerifier(i.URL, "qingcang", i.Client()).Authenticate(i.token(t, i.key, nil))
	if err != nil || p.Kind != auth.Staff || p.ID != "alice" || !p.Is("operations") || p.Is("finance") || p.Token != "t1" {
		t.Fatalf("got %+v, %v", p, err)
	}
}

func TestAStaffTokenIsRefused(t *testing.T) {
	i := startIssuer(t)
	v := auth.NewStaffVerifier(i.URL, "qingcang", i.Client())
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]*http.Request{
		"signed by somebody else":  i.token(t, other, nil),
		"expired":                  i.token(t, i.key, jwt.MapClaims{"exp": time.Now().Add(-time.Hour).Unix()}),
		"for another audience":     i.token(t, i.key, jwt.MapClaims{"aud": "mail"}),
		"of another issuer":        i.token(t, i.key, jwt.MapClaims{"iss": "https://elsewhere"}),
		"about nobody":             i.token(t, i.key, jwt.MapClaims{"sub": ""}),
		"with roles that are none": i.token(t, i.key, jwt.MapClaims{"roles": 7}),
	} {
		t.Run(name, func(t *testing.T) {
			if p, err := v.Authenticate(r); !errors.Is(err, auth.ErrBadToken) {
				t.Fatalf("got %+v, %v", p, err)
			}
		})
	}
}

func TestAServiceStartsWhileTheIssuerIsDownAndSaysSo(t *testing.T) {
	i := startIssuer(t)
	i.down.Store(true)
	v := auth.NewStaffVerifier(i.URL, "qingcang", i.Client())
	if err := v.Ready(nil); !errors.Is(err, auth.ErrStaffIssuer) {
		t.Fatalf("readiness says %v", err)
	}
	if _, err := v.Authenticate(i.token(t, i.key, nil)); !errors.Is(err, auth.ErrStaffIssuer) {
		t.Fatalf("a request gets %v", err)
	}
}

func TestAnIssuerThatDiesBeforeItsKeysWereFetchedIsUnavailableNotABadToken(t *testing.T) {
	i := startIssuer(t)
	v := auth.NewStaffVerifier(i.URL, "qingcang", i.Client())
	if err := v.Ready(nil); err != nil {
		t.Fatal(err)
	}
	i.down.Store(true)
	if _, err := v.Authenticate(i.token(t, i.key, nil)); !errors.Is(err, auth.ErrStaffIssuer) {
		t.Fatalf("got %v", err)
	}
	i.down.Store(false)
	if _, err := v.Authenticate(i.token(t, i.key, nil)); err != nil {
		t.Fatalf("after it came back: %v", err)
	}
}
