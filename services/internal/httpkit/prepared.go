package httpkit

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"net/http"

	"go.opentelemetry.io/otel/trace"

	"github.com/qingcang/qingcang/services/internal/fault"
)

// Prepared is a problem that is rendered beforehand, but for the trace id: what
// most of those who come to a sale are told is a few sentences, over and over.
type Prepared struct {
	status int
	// body ends where the trace id follows.
	body []byte
}

var (
	problemTypes = []string{problemType}
	noStore      = []string{"no-store"}
)

// Prepare renders a fault. What the fault says about fields or about coming back
// later is not in it.
func Prepare(f *fault.Error) (*Prepared, error) {
	status := Status(f.Kind)
	body, err := json.Marshal(Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: f.Code, Detail: f.Detail})
	if err != nil {
		return nil, err
	}
	return &Prepared{status: status, body: body[:len(body)-1]}, nil
}

// Problem answers with a prepared problem.
func (c *Call) Problem(ctx context.Context, p *Prepared) error {
	c.hangUpOnTheRest()
	header := c.gin.Writer.Header()
	header["Content-Type"], header["Cache-Control"] = problemTypes, noStore
	if p.status == http.StatusUnauthorized {
		header.Set("WWW-Authenticate", "Bearer")
	}
	var buffer [1 << 10]byte
	body := append(buffer[:0], p.body...)
	if span := trace.SpanContextFromContext(ctx); span.HasTraceID() {
		id := span.TraceID()
		body = append(body, `,"trace_id":"`...)
		body = hex.AppendEncode(body, id[:])
		body = append(body, '"')
	}
	c.gin.Writer.WriteHeader(p.status)
	_, err := c.gin.Writer.Write(append(body, '}'))
	return err
}

// SetHeader sets a header of the answer. The name is in its canonical form.
func (c *Call) SetHeader(name, value string) { c.gin.Writer.Header()[name] = []string{value} }
