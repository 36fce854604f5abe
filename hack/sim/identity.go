package main

import (
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// clientSecret is the secret of every client of the simulated identity provider.
const clientSecret = "demo"

// identity is a small OpenID Connect provider: discovery, keys, and the client_credentials grant
// (RFC 6749, section 4.4), with one client per staff role.
type identity struct {
	issuer string
	key    *rsa.PrivateKey
}

func (i *identity) routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /oidc/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{
			"issuer": i.issuer, "jwks_uri": i.issuer + "/keys", "token_endpoint": i.issuer + "/token",
			"authorization_endpoint": i.issuer + "/authorize", "response_types_supported": []string{"code"},
			"subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"RS256"},
			"grant_types_supported": []string{"client_credentials"},
		})
	})
	mux.HandleFunc("GET /oidc/keys", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{"keys": []any{map[string]any{
			"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "sim",
			"n": base64.RawURLEncoding.EncodeToString(i.key.N.Bytes()),
			"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(i.key.E)).Bytes()),
		}}})
	})
	mux.HandleFunc("POST /oidc/token", i.token)
}

func (i *identity) token(w http.ResponseWriter, r *http.Request) {
	client, secret, ok := r.BasicAuth()
	if !ok {
		client, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	if r.PostFormValue("grant_type") != "client_credentials" {
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": "unsupported_grant_type"})
		return
	}
	roles := map[string]bool{"operations": true, "finance": true, "carrier": true}
	if !roles[client] || secret != clientSecret {
		writeJSON(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
		return
	}
	now := time.Now()
	const lifetime = 12 * time.Hour
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss": i.issuer, "sub": "staff-" + client, "aud": "qingcang", "roles": []string{client},
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(lifetime).Unix(),
	})
	token.Header["kid"] = "sim"
	signed, err := token.SignedString(i.key)
	if err != nil {
		writeJSON(w, http.StatusInternalServerError, map[string]any{"error": "server_error"})
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"access_token": signed, "token_type": "Bearer", "expires_in": int(lifetime.Seconds())})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(data) // a caller that is gone gets nothing
}
