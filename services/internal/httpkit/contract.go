package httpkit

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/ids"
)

const jsonType = "application/json"

var errContentType = fault.New(fault.Unsupported, "media_type_not_accepted", "this Content-Type is not accepted here")

// contract checks requests against the OpenAPI document. Gin finds the route;
// the document is looked up by gin's pattern, so the two cannot disagree about
// which operation a path means.
type contract struct {
	options    *Options
	operations map[pattern]*operation
}

// pattern names an operation as gin does: "POST", "/v1/orders/:id/cancel".
type pattern struct{ method, path string }

// operation is one operation of the contract, with what of it need not be worked
// out anew for each request.
type operation struct {
	pattern
	route    *routers.Route
	security []alternative // none: anybody may come
	takes    openapi3.Content
	direct   *direct // nil: the document validates, and the generated handler answers
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
	k := &contract{options: o, operations: map[pattern]*operation{}}
	missing := maps.Clone(o.Direct)
	for path, item := range doc.Paths.Map() {
		for method, spec := range item.Operations() {
			op := &operation{
				pattern: pattern{method, ginPattern(path)},
				route:   &routers.Route{Spec: doc, Path: path, PathItem: item, Method: method, Operation: spec},
			}
			if op.security, err = o.Auth.alternatives(op.route); err != nil {
				return nil, fmt.Errorf("%s %s: %w", method, path, err)
			}
			if spec.RequestBody != nil {
				op.takes = spec.RequestBody.Value.Content
			}
			if serve := o.Direct[spec.OperationID]; serve != nil {
				op.direct = newDirect(serve, op, o.Service)
				delete(missing, spec.OperationID)
			}
			k.operations[op.pattern] = op
		}
	}
	for name := range missing {
		return nil, fmt.Errorf("no operation is called %q", name)
	}
	return k, nil
}

// ginPattern turns "/orders/{id}" into "/orders/:id".
func ginPattern(path string) string {
	return strings.NewReplacer("{", ":", "}", "").Replace(path)
}

// find returns the operation of a request, or nil for one that the contract lacks.
func (k *contract) find(c *gin.Context) *operation {
	return k.operations[pattern{c.Request.Method, c.FullPath()}]
}

// page reports whether a path is served outside the contract.
func (k *contract) page(path string) bool {
	return slices.ContainsFunc(k.options.Pages, func(prefix string) bool { return strings.HasPrefix(path, prefix) })
}

// admit reads and validates what the document says about a request. A body that
// is not streamed is read whole and put back.
func (k *contract) admit(c *gin.Context, op *operation, v *visit) error {
	streamed, err := k.limitBody(c, op)
	if err != nil {
		return err
	}
	if !streamed {
		body, err := io.ReadAll(c.Request.Body)
		if err != nil {
			return unread(err)
		}
		v.bodyHash = ids.BodyHash(body)
		putBack(c.Request, body)
		if err := oneValue(c.Request, body); err != nil {
			return err
		}
	}
	return k.validate(c, op, streamed)
}

func (k *contract) validate(c *gin.Context, op *operation, streamed bool) error {
	params := make(map[string]string, len(c.Params))
	for _, p := range c.Params {
		params[p.Key] = p.Value
	}
	err := openapi3filter.ValidateRequest(c.Request.Context(), &openapi3filter.RequestValidationInput{
		Request:    c.Request,
		PathParams: params,
		Route:      op.route,
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
func (k *contract) limitBody(c *gin.Context, op *operation) (streamed bool, err error) {
	limit := k.options.MaxBodyBytes
	if op.takes != nil && c.Request.ContentLength != 0 {
		mediaType, err := op.mediaType(c.Request)
		if err != nil {
			return false, err
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

// mediaType returns the media type of a body, without parameters, if the operation takes it.
func (op *operation) mediaType(r *http.Request) (string, error) {
	mediaType := r.Header.Get("Content-Type")
	if mediaType != jsonType { // nearly all send just that
		var err error
		if mediaType, _, err = mime.ParseMediaType(mediaType); err != nil {
			return "", errContentType
		}
	}
	if op.takes.Get(mediaType) == nil {
		return "", errContentType
	}
	return mediaType, nil
}

func putBack(r *http.Request, body []byte) {
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	r.Body = io.NopCloser(bytes.NewReader(body))
}

// oneValue refuses a JSON body that goes on after its value, where the validator
// and the handler would each stop without a word, and one whose readers may
// disagree: two members of one name, or text that is not UTF-8.
func oneValue(r *http.Request, body []byte) error {
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if mediaType == jsonType && len(body) > 0 && !jsontext.Value(body).IsValid() {
		return errInvalid.With(fault.Field{Detail: "the body is not one JSON value in UTF-8 that has each name once"})
	}
	return nil
}
