package httpkit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/gin-gonic/gin"

	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/ids"
)

var errContentType = fault.New(fault.Unsupported, "media_type_not_accepted", "this Content-Type is not accepted here")

// contract checks requests against the OpenAPI document. Gin finds the route;
// the document is looked up by gin's pattern, so the two cannot disagree about
// which operation a path means.
type contract struct {
	options *Options
	routes  map[string]*routers.Route // by "POST /v1/orders/:id/cancel"
}

func loadContract(o *Options) (*contract, error) {
	doc, err := openapi3.NewLoader().LoadFromData(o.Spec)
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	if err := doc.Validate(context.Background(), openapi3.DisableExamplesValidation()); err != nil {
		return nil, fmt.Errorf("validate: %w", err)
	}
	if err := knowsKeywords(doc); err != nil {
		return nil, err
	}
	// Checked as what it says it is, used as OpenAPI 3.0: in 3.1 mode the library
	// compiles a JSON schema anew for each request, at twenty times the cost.
	doc.OpenAPI = "3.0.3"
	c := &contract{options: o, routes: map[string]*routers.Route{}}
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			route := &routers.Route{Spec: doc, Path: path, PathItem: item, Method: method, Operation: operation}
			if err := c.knowsSchemes(security(route)); err != nil {
				return nil, fmt.Errorf("%s %s: %w", method, path, err)
			}
			c.routes[method+" "+ginPattern(path)] = route
		}
	}
	return c, nil
}

// ginPattern turns "/orders/{id}" into "/orders/:id".
func ginPattern(path string) string {
	return strings.NewReplacer("{", ":", "}", "").Replace(path)
}

func (k *contract) check(c *gin.Context) {
	if c.FullPath() == "" {
		return // NoRoute and NoMethod answer
	}
	route, ok := k.routes[c.Request.Method+" "+c.FullPath()]
	if !ok {
		if !slices.ContainsFunc(k.options.Pages, func(prefix string) bool { return strings.HasPrefix(c.FullPath(), prefix) }) {
			Fail(c, fmt.Errorf("%s %s has a handler but is not in the contract", c.Request.Method, c.FullPath()))
		}
		return
	}
	if err := k.authenticate(c, security(route)); err != nil {
		Fail(c, err)
		return
	}
	if err := k.validate(c, route); err != nil {
		Fail(c, err)
	}
}

func (k *contract) validate(c *gin.Context, route *routers.Route) error {
	streamed, err := k.limitBody(c, route)
	if err != nil {
		return err
	}
	if !streamed {
		if err := readWhole(c); err != nil {
			return err
		}
	}
	params := make(map[string]string, len(c.Params))
	for _, p := range c.Params {
		params[p.Key] = p.Value
	}
	err = openapi3filter.ValidateRequest(c.Request.Context(), &openapi3filter.RequestValidationInput{
		Request:    c.Request,
		PathParams: params,
		Route:      route,
		Options: &openapi3filter.Options{
			MultiError:                        true,
			ExcludeRequestBody:                streamed,
			RejectWhenRequestBodyNotSpecified: true,
			AuthenticationFunc:                openapi3filter.NoopAuthenticationFunc, // authenticate did it
		},
	})
	if err != nil {
		return validationFault(err)
	}
	return nil
}

// limitBody bounds the body and reports whether it goes to the handler
// unread.
func (k *contract) limitBody(c *gin.Context, route *routers.Route) (streamed bool, err error) {
	limit := k.options.MaxBodyBytes
	if body := route.Operation.RequestBody; body != nil && c.Request.ContentLength != 0 {
		mediaType, _, err := mime.ParseMediaType(c.GetHeader("Content-Type"))
		if err != nil || body.Value.Content.Get(mediaType) == nil {
			return false, errContentType
		}
		if slices.Contains(k.options.Streamed, mediaType) {
			streamed, limit = true, k.options.MaxStreamBytes
		}
	}
	if c.Request.ContentLength > limit {
		return false, &http.MaxBytesError{Limit: limit}
	}
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, limit)
	return streamed, nil
}

// readWhole reads a body and refuses one that goes on after its JSON value: the
// validator and the handler would each stop there without a word.
func readWhole(c *gin.Context) error {
	body, err := io.ReadAll(c.Request.Body)
	if err != nil {
		return classify(err).Wrap(err)
	}
	r := c.Request.WithContext(context.WithValue(c.Request.Context(), bodyHashKey{}, ids.BodyHash(body)))
	c.Request = r
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	r.Body = io.NopCloser(bytes.NewReader(body))
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if mediaType == "application/json" && len(body) > 0 && !json.Valid(body) {
		return errInvalid.With(fault.Field{Detail: "the body is not one JSON value"})
	}
	return nil
}

type bodyHashKey struct{}

// BodyHash returns the hash of a request's body as it was sent, to tell a
// repeat from another request under the same Idempotency-Key. It is 0 for a
// streamed body: the handler hashes that as it reads.
func BodyHash(ctx context.Context) uint64 {
	hash, _ := ctx.Value(bodyHashKey{}).(uint64)
	return hash
}

// deadline bounds the handling of a request.
func deadline(timeout time.Duration) gin.HandlerFunc {
	return func(c *gin.Context) {
		ctx, cancel := context.WithTimeout(c.Request.Context(), timeout)
		defer cancel()
		c.Request = c.Request.WithContext(ctx)
		c.Next()
	}
}

// security returns the alternatives of which one must hold; none means that
// anybody may come.
func security(route *routers.Route) openapi3.SecurityRequirements {
	if route.Operation.Security != nil {
		return *route.Operation.Security
	}
	return route.Spec.Security
}

func (k *contract) knowsSchemes(alternatives openapi3.SecurityRequirements) error {
	for _, schemes := range alternatives {
		for name := range schemes {
			if k.options.Auth[name] == nil {
				return fmt.Errorf("nothing verifies the security scheme %q", name)
			}
		}
	}
	return nil
}

// authenticate tries the alternatives in order. Bad credentials are refused
// even where none are needed: whoever sends them believes to be logged in.
func (k *contract) authenticate(c *gin.Context, alternatives openapi3.SecurityRequirements) error {
	if len(alternatives) == 0 {
		return nil
	}
	refusal, anonymous := error(auth.ErrNoCredentials), false
	for _, schemes := range alternatives {
		if len(schemes) == 0 {
			anonymous = true
			continue
		}
		p, err := k.satisfies(c.Request, schemes)
		if err == nil {
			c.Request = c.Request.WithContext(auth.WithPrincipal(c.Request.Context(), p))
			return nil
		}
		if moreTelling(err, refusal) {
			refusal = err
		}
	}
	if anonymous && errors.Is(refusal, auth.ErrNoCredentials) {
		return nil
	}
	return refusal
}

// satisfies verifies every scheme of one alternative. The principal is that of
// the last scheme by name, which matters only where there are several.
func (k *contract) satisfies(r *http.Request, schemes openapi3.SecurityRequirement) (auth.Principal, error) {
	names := make([]string, 0, len(schemes))
	for name := range schemes {
		names = append(names, name)
	}
	slices.Sort(names)
	var principal auth.Principal
	for _, name := range names {
		p, err := k.options.Auth[name](r)
		if err != nil {
			return auth.Principal{}, err
		}
		for _, role := range schemes[name] {
			if !p.Is(role) {
				return auth.Principal{}, fault.Newf(fault.Forbidden, "role_missing", "this needs the role %q", role)
			}
		}
		principal = p
	}
	return principal, nil
}

// moreTelling orders refusals: a verifier that is down says more than a missing
// role, that more than a bad token, and that more than none.
func moreTelling(err, than error) bool { return weight(err) > weight(than) }

func weight(err error) int {
	switch {
	case errors.Is(err, auth.ErrNoCredentials):
		return 0
	case fault.KindOf(err) == fault.Unauthenticated:
		return 1
	case fault.KindOf(err) == fault.Forbidden:
		return 2
	default:
		return 3
	}
}
