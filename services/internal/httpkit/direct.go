package httpkit

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/qingcang/qingcang/services/internal/auth"
)

// Direct serves one operation in place of the document's validator and the
// generated handler, where those cost more than the operation itself: on the
// order's path they were 20 of 26 µs. It lets in exactly what the document
// allows, which a test has to show, and leaves it to Call.Refuse to say what is
// wrong with the rest. An error that it returns is answered as a problem.
//
// The context ends with the door's timeout, not when the client hangs up.
type Direct func(ctx context.Context, call *Call) error

// Call is one request of an operation that is served directly. Credentials are
// checked already; the body is not read. It is not used after Direct returns.
type Call struct {
	// Principal is who asks; Known is false where anybody may and nobody logged in.
	Principal auth.Principal
	Known     bool

	gin      *gin.Context
	contract *contract
	op       *operation
	buffer   *[]byte
	read     bool // Body was called
}

// bodies are buffers for Call.Body. One that grew over keptBody is not kept.
var bodies = sync.Pool{New: func() any { b := make([]byte, 0, 1<<10); return &b }}

const keptBody = 64 << 10

// Param returns a part of the path by its name in the document.
func (c *Call) Param(name string) string { return c.gin.Param(name) }

// Header returns a header if it was sent exactly once. The name is in its
// canonical form: "Idempotency-Key".
func (c *Call) Header(name string) (value string, ok bool) {
	values := c.gin.Request.Header[name]
	if len(values) != 1 {
		return "", false
	}
	return values[0], true
}

// Body reads the body whole. It is valid until Direct returns.
func (c *Call) Body() ([]byte, error) {
	r, limit := c.gin.Request, c.contract.options.MaxBodyBytes
	c.read = true
	if r.ContentLength != 0 {
		if _, err := c.op.mediaType(r); err != nil {
			return nil, err
		}
	}
	if r.ContentLength > limit {
		return nil, &http.MaxBytesError{Limit: limit}
	}
	if r.ContentLength < 0 {
		body, err := io.ReadAll(http.MaxBytesReader(c.gin.Writer, r.Body, limit))
		if err != nil {
			return nil, unread(err)
		}
		return body, nil
	}
	if c.buffer == nil {
		c.buffer, _ = bodies.Get().(*[]byte)
	}
	if int64(cap(*c.buffer)) < r.ContentLength {
		*c.buffer = make([]byte, r.ContentLength)
	}
	body := (*c.buffer)[:r.ContentLength]
	if _, err := io.ReadFull(r.Body, body); err != nil {
		return nil, unread(err)
	}
	return body, nil
}

// drained is the longest body that is waited for when it was not wanted. A short
// one has come in the packet of its header, and the connection is good for more;
// net/http would wait for any other before it sends the answer.
const drained = 4 << 10

// hangUpOnTheRest closes the connection behind an answer that does not wait for a
// long body. It is called before the answer begins.
func (c *Call) hangUpOnTheRest() {
	if n := c.gin.Request.ContentLength; !c.read && (n < 0 || n > drained) {
		c.gin.Writer.Header().Set("Connection", "close")
	}
}

func (c *Call) release() {
	if c.buffer != nil && cap(*c.buffer) <= keptBody {
		bodies.Put(c.buffer)
	}
	c.buffer = nil
}

// Refuse returns what the document finds wrong with the request, whose body is
// this one. A request at which it finds nothing is refused all the same: it
// allows what Go's types cannot hold, such as 1e2 for an integer.
func (c *Call) Refuse(body []byte) error {
	putBack(c.gin.Request, body)
	if err := oneValue(c.gin.Request, body); err != nil {
		return err
	}
	if err := c.contract.validate(c.gin, c.op, false); err != nil {
		return err
	}
	return errUnreadable
}

var jsonTypes = []string{jsonType} // shared by all answers: net/http copies what it sends

// unframed is the longest answer whose length net/http finds out by itself.
const unframed = 2_000

// JSON answers with a body that is JSON already.
func (c *Call) JSON(status int, body []byte) error {
	c.hangUpOnTheRest()
	header := c.gin.Writer.Header()
	header["Content-Type"] = jsonTypes
	if len(body) > unframed {
		header["Content-Length"] = []string{strconv.Itoa(len(body))}
	}
	c.gin.Writer.WriteHeader(status)
	_, err := c.gin.Writer.Write(body)
	return err
}

// direct is an operation's Direct with its telemetry. The otelgin middleware, which
// the other operations go through, works out all attributes of every request,
// recorded or not, and takes three measurements; this takes one, of the same
// name, and has its attributes ready.
type direct struct {
	serve    Direct
	name     string
	tracer   trace.Tracer
	start    []trace.SpanStartOption
	duration metric.Float64Histogram
	method   attribute.KeyValue
	route    attribute.KeyValue
	byStatus map[int][]metric.RecordOption
}

const scope = "github.com/qingcang/qingcang/services/internal/httpkit"

// secondsBuckets are those that the semantic conventions advise for the duration of requests.
var secondsBuckets = []float64{.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10}

func newDirect(serve Direct, op *operation, service string) *direct {
	d := &direct{
		serve: serve, name: op.method + " " + op.path, tracer: otel.Tracer(scope),
		start:  []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindServer)},
		method: semconv.HTTPRequestMethodKey.String(op.method), route: semconv.HTTPRoute(op.path),
		byStatus: map[int][]metric.RecordOption{},
	}
	duration, err := otel.Meter(scope).Float64Histogram("http.server.request.duration", metric.WithUnit("s"),
		metric.WithDescription("Duration of HTTP server requests."), metric.WithExplicitBucketBoundaries(secondsBuckets...))
	if err != nil {
		otel.Handle(err) // the instrument measures nothing, and requests go on
	}
	d.duration = duration
	for _, status := range append([]int{http.StatusOK, http.StatusCreated, http.StatusNoContent}, allStatuses()...) {
		d.byStatus[status] = []metric.RecordOption{metric.WithAttributeSet(attribute.NewSet(
			d.method, d.route, semconv.HTTPResponseStatusCode(status), semconv.ServerAddress(service)))}
	}
	return d
}

// begin starts the request's span, in the trace of its caller if there is one.
func (d *direct) begin(ctx context.Context, r *http.Request) (context.Context, trace.Span) {
	if len(r.Header["Traceparent"]) > 0 {
		ctx = otel.GetTextMapPropagator().Extract(ctx, propagation.HeaderCarrier(r.Header))
	}
	return d.tracer.Start(ctx, d.name, d.start...)
}

func (d *direct) end(ctx context.Context, span trace.Span, begun time.Time, status int) {
	d.duration.Record(ctx, time.Since(begun).Seconds(), d.byStatus[status]...)
	if span.IsRecording() {
		span.SetAttributes(d.method, d.route, semconv.HTTPResponseStatusCode(status))
		if status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
		}
	}
	span.End()
}

func (d *door) serveDirect(c *gin.Context, op *operation) {
	begun := time.Now()
	ctx, span := op.direct.begin(d.deadlines.at(begun), c.Request)
	call := &Call{gin: c, contract: d.contract, op: op}
	defer func() {
		if err := panicked(recover()); err != nil {
			d.failDirect(ctx, call, err)
		}
		call.release()
		op.direct.end(ctx, span, begun, c.Writer.Status())
	}()
	var err error
	if call.Principal, call.Known, err = authenticate(c.Request, op.security); err == nil {
		err = op.direct.serve(ctx, call)
	}
	if err != nil {
		d.failDirect(ctx, call, err)
	}
}

func (d *door) failDirect(ctx context.Context, call *Call, err error) {
	call.hangUpOnTheRest()
	f := classify(err)
	fail(ctx, call.gin, d.log, Status(f.Kind), f, err)
}
