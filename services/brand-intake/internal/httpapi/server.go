// Package httpapi is the service's door: it turns requests into use cases and
// their results into the contract's answers.
package httpapi

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/qingcang/qingcang/services/brand-intake/api"
	"github.com/qingcang/qingcang/services/brand-intake/internal/app"
	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/httpkit"
)

// requestTimeout leaves time for a stock file of 200,000 rows.
const requestTimeout = 60 * time.Second

// Service names this service's spans.
const Service = "brand-intake"

// Server answers the routes of the contract.
type Server struct{ app *app.App }

var _ StrictServerInterface = (*Server)(nil)

// Door is what the server needs besides the use cases.
type Door struct {
	// Staff verifies OIDC tokens.
	Staff func(*http.Request) (auth.Principal, error)
	// Probes serves /livez and /readyz.
	Probes http.Handler
}

// New returns the service's HTTP handler.
func New(a *app.App, door Door) (http.Handler, error) {
	engine, err := httpkit.New(httpkit.Options{
		Service: Service, Spec: api.Spec, Probes: door.Probes, Timeout: requestTimeout,
		Auth: httpkit.Authenticators{
			"brandKey":   brandKey(a),
			"staffToken": staffToken(door.Staff),
		},
	})
	if err != nil {
		return nil, err
	}
	strict := NewStrictHandlerWithOptions(&Server{app: a}, nil, StrictGinServerOptions{
		RequestErrorHandlerFunc:  httpkit.RequestError,
		HandlerErrorFunc:         httpkit.HandlerError,
		ResponseErrorHandlerFunc: httpkit.ResponseError,
	})
	RegisterHandlersWithOptions(engine, strict, GinServerOptions{ErrorHandler: httpkit.ParameterError})
	return engine, nil
}

// keyMark begins every brand key and no JWT.
const keyMark = "qck_"

// brandKey verifies the API key of a brand. A staff token is no attempt at one.
func brandKey(a *app.App) func(*http.Request) (auth.Principal, error) {
	return func(r *http.Request) (auth.Principal, error) {
		key, err := auth.Bearer(r)
		if err != nil {
			return auth.Principal{}, err
		}
		if !strings.HasPrefix(key, keyMark) {
			return auth.Principal{}, auth.ErrBadToken
		}
		return a.Authenticate(r.Context(), key, brandOf(r.URL.Path))
	}
}

// staffToken verifies a staff token. A brand's key never bothers the issuer.
func staffToken(verify func(*http.Request) (auth.Principal, error)) func(*http.Request) (auth.Principal, error) {
	return func(r *http.Request) (auth.Principal, error) {
		if token, err := auth.Bearer(r); err == nil && strings.HasPrefix(token, keyMark) {
			return auth.Principal{}, auth.ErrBadToken
		}
		return verify(r)
	}
}

// brandOf is the brand that a path is about: all routes that brands may use
// begin with /v1/brands/{brandId}.
func brandOf(path string) string {
	id, _, _ := strings.Cut(strings.TrimPrefix(path, "/v1/brands/"), "/")
	return id
}

// principal is who asks; the door has let nobody pass whom the contract does not name.
func principal(ctx context.Context) auth.Principal {
	p, _ := auth.PrincipalFrom(ctx)
	return p
}
