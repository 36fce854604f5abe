// Package auth says who is asking: HMAC tokens for buyers, owners and
// carriers, share tokens for links, an OIDC verifier for staff.
package auth

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/qingcang/qingcang/services/internal/fault"
)

// The kinds of principal.
const (
	Buyer   = "buyer"
	Owner   = "owner"
	Staff   = "staff"
	Brand   = "brand"
	Carrier = "carrier"
)

// Principal is who is asking, as far as the request proves it.
type Principal struct {
	// Kind is Buyer, Owner, Staff, Brand or Carrier.
	Kind string
	// ID names the principal within its kind.
	ID string
	// Roles are what staff may do: "merchandiser", "finance".
	Roles []string
	// Token is the id of the credential, for audit: a JWT's jti or an API key's
	// id. It is never the credential itself.
	Token string
	// Payer is the principal's openid at the payment provider as the token
	// carries it: sealed. OpenSubject opens it.
	Payer string
}

// Is reports whether the principal has the role.
func (p Principal) Is(role string) bool { return slices.Contains(p.Roles, role) }

// Scope names the principal in idempotency scopes: "buyer/byr_…".
func (p Principal) Scope() string { return p.Kind + "/" + p.ID }

type principalKey struct{}

// WithPrincipal returns a context that carries p.
func WithPrincipal(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// PrincipalFrom returns the principal of a request. ok is false on routes whose
// security the contract makes optional, when nobody logged in.
func PrincipalFrom(ctx context.Context) (p Principal, ok bool) {
	p, ok = ctx.Value(principalKey{}).(Principal)
	return p, ok
}

// Require returns the principal of a request, or ErrNoCredentials.
func Require(ctx context.Context) (Principal, error) {
	p, ok := PrincipalFrom(ctx)
	if !ok {
		return Principal{}, ErrNoCredentials
	}
	return p, nil
}

// ErrNoCredentials is the fault of a request without credentials.
var ErrNoCredentials = fault.New(fault.Unauthenticated, "no_credentials", "the request has no credentials; log in first")

// ErrBadToken is the fault of a token that is forged, expired or for somebody
// else; the reply does not say which.
var ErrBadToken = fault.New(fault.Unauthenticated, "bad_token", "the token is not valid here or has expired; log in again")

// maxBearerBytes bounds a token before anything parses it.
const maxBearerBytes = 8 << 10

// Bearer returns the bearer token of a request, or ErrNoCredentials.
func Bearer(r *http.Request) (string, error) {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", ErrNoCredentials
	}
	if len(token) > maxBearerBytes {
		return "", ErrBadToken
	}
	return token, nil
}
