// Package httpkit is the door of a service: it lets in what the OpenAPI
// contract allows, says who is asking, turns errors into problem+json, and is
// the only place where errors are logged.
package httpkit

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/contrib/instrumentation/github.com/gin-gonic/gin/otelgin"

	"github.com/qingcang/qingcang/services/internal/fault"
)

const (
	// DefaultBodyBytes bounds a request body that is read whole.
	DefaultBodyBytes = 1 << 20
	// DefaultStreamBytes bounds a streamed one.
	DefaultStreamBytes = 64 << 20
	// DefaultTimeout bounds the handling of a request.
	DefaultTimeout = 30 * time.Second
)

// Options are what a service tells its door.
type Options struct {
	// Service names the spans.
	Service string
	// Spec is the OpenAPI document, JSON or YAML.
	Spec []byte
	// Auth has a verifier for each security scheme of the document.
	Auth Authenticators
	// MaxBodyBytes bounds bodies that are validated; 0 is 1 MiB.
	MaxBodyBytes int64
	// MaxStreamBytes bounds streamed bodies as they arrive, that is before
	// decompression; 0 is 64 MiB.
	MaxStreamBytes int64
	// Streamed are the media types whose bodies go to the handler as they come,
	// without validation. Nil is CSV, gzip, XLSX and octet-stream.
	Streamed []string
	// Timeout bounds the handling of a request; 0 is 30 seconds.
	Timeout time.Duration
	// Probes serves /livez and /readyz; see run.Probes.
	Probes http.Handler
	// Pages are path prefixes that are served without a contract, such as "/s/"
	// for web pages. Any other route that the contract lacks is refused.
	Pages []string
	// Direct serves operations, by their operationId, without the validator and
	// the generated handler.
	Direct map[string]Direct
	// Log takes errors; nil is slog.Default().
	Log *slog.Logger
}

var streamedByDefault = []string{
	"text/csv", "application/gzip", "application/octet-stream",
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

func (o *Options) setDefaults() {
	if o.MaxBodyBytes == 0 {
		o.MaxBodyBytes = DefaultBodyBytes
	}
	if o.MaxStreamBytes == 0 {
		o.MaxStreamBytes = DefaultStreamBytes
	}
	if o.Streamed == nil {
		o.Streamed = streamedByDefault
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
}

// New returns an engine on which the generated RegisterHandlers is called.
// Every route is then authenticated and validated by the contract.
func New(o Options) (*gin.Engine, error) {
	o.setDefaults()
	contract, err := loadContract(&o)
	if err != nil {
		return nil, fmt.Errorf("contract: %w", err)
	}
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.HandleMethodNotAllowed = true
	engine.RedirectTrailingSlash = false // a redirect would lose the body and the contract knows no such path
	engine.ContextWithFallback = true    // strict handlers get *gin.Context as their context
	if err := engine.SetTrustedProxies(nil); err != nil {
		return nil, fmt.Errorf("trusted proxies: %w", err)
	}
	if o.Probes != nil { // before the middleware: probes are not traced, limited or logged
		for _, path := range []string{"/livez", "/livez/*check", "/readyz", "/readyz/*check"} {
			engine.GET(path, gin.WrapH(o.Probes))
		}
	}
	d := &door{contract: contract, log: o.Log, options: &o, deadlines: &deadlines{timeout: o.Timeout}}
	traced := func(c *gin.Context) bool { op := contract.find(c); return op == nil || op.direct == nil }
	engine.Use(otelgin.Middleware(o.Service, otelgin.WithGinFilter(traced)), d.serve)
	engine.NoRoute(func(c *gin.Context) {
		Fail(c, fault.New(fault.NotFound, "no_such_route", "there is nothing at this path"))
	})
	engine.NoMethod(func(c *gin.Context) {
		f := fault.New(fault.Invalid, "method_not_allowed", "this path does not have this method; Allow lists those it has")
		fail(c.Request.Context(), c, o.Log, http.StatusMethodNotAllowed, f, f)
	})
	return engine, nil
}
