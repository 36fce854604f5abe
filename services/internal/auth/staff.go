package auth

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/qingcang/qingcang/services/internal/fault"
)

// ErrStaffIssuer is the fault of a staff request while the issuer is down and
// its keys were never fetched.
var ErrStaffIssuer = fault.New(fault.Unavailable, "staff_issuer_unavailable", "the staff log-in is not reachable; try again soon").RetryAfter(5)

const (
	// discoveryTimeout bounds one attempt to reach the issuer.
	discoveryTimeout = 5 * time.Second
	// discoveryPause is the time between attempts, so that a dead issuer does
	// not slow down every request.
	discoveryPause = 2 * time.Second
)

// StaffVerifier verifies staff tokens of an OIDC issuer. It discovers the
// issuer when it is first needed, so that a service starts while it is down.
type StaffVerifier struct {
	issuer, audience string
	client           *http.Client

	mu       sync.Mutex
	verifier *oidc.IDTokenVerifier
	lastTry  time.Time
}

// NewStaffVerifier makes a verifier. The client carries a timeout; nil is one
// with 5 seconds.
func NewStaffVerifier(issuer, audience string, client *http.Client) *StaffVerifier {
	if client == nil {
		client = &http.Client{Timeout: discoveryTimeout}
	}
	return &StaffVerifier{issuer: issuer, audience: audience, client: client}
}

// Ready is a readiness check: nil once the issuer was discovered.
func (v *StaffVerifier) Ready(*http.Request) error {
	_, err := v.discover()
	return err
}

// Authenticate returns the staff member who sent the request.
func (v *StaffVerifier) Authenticate(r *http.Request) (Principal, error) {
	token, err := Bearer(r)
	if err != nil {
		return Principal{}, err
	}
	verifier, err := v.discover()
	if err != nil {
		return Principal{}, err
	}
	idToken, err := verifier.Verify(r.Context(), token)
	if err != nil {
		return Principal{}, verifyFault(err)
	}
	var claims struct {
		Roles []string `json:"roles"`
		ID    string   `json:"jti"`
	}
	if err := idToken.Claims(&claims); err != nil || idToken.Subject == "" {
		return Principal{}, ErrBadToken.Wrap(err)
	}
	return Principal{Kind: Staff, ID: idToken.Subject, Roles: claims.Roles, Token: claims.ID}, nil
}

// discover fetches the issuer's metadata once; its keys are fetched and
// refreshed by the verifier itself. Callers wait for one attempt together.
func (v *StaffVerifier) discover() (*oidc.IDTokenVerifier, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.verifier != nil {
		return v.verifier, nil
	}
	if time.Since(v.lastTry) < discoveryPause {
		return nil, ErrStaffIssuer
	}
	// Not the request's context: the provider keeps it for later key fetches,
	// and one caller's hanging up must not fail the others.
	ctx, cancel := context.WithTimeout(oidc.ClientContext(context.Background(), v.client), discoveryTimeout)
	defer cancel()
	provider, err := oidc.NewProvider(ctx, v.issuer)
	v.lastTry = time.Now()
	if err != nil {
		return nil, ErrStaffIssuer.Wrap(err)
	}
	v.verifier = provider.VerifierContext(oidc.ClientContext(context.Background(), v.client), &oidc.Config{
		ClientID:             v.audience,
		SupportedSigningAlgs: []string{oidc.RS256, oidc.ES256},
	})
	return v.verifier, nil
}

// verifyFault tells a bad token from an issuer whose keys cannot be fetched.
func verifyFault(err error) error {
	var expired *oidc.TokenExpiredError
	if !errors.As(err, &expired) && strings.Contains(err.Error(), "fetching keys") {
		return ErrStaffIssuer.Wrap(err)
	}
	return ErrBadToken.Wrap(err)
}
