package httpkit

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/otel/trace"

	"github.com/qingcang/qingcang/services/internal/fault"
)

const problemType = "application/problem+json"

// Problem is the body of every reply that is not a success (RFC 9457).
type Problem struct {
	// Type is "about:blank": Code says more than a URI would.
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	// Code is stable and meant for programs.
	Code string `json:"code"`
	// Detail is one sentence for people.
	Detail string `json:"detail,omitempty"`
	// TraceID finds the request in logs and traces.
	TraceID string `json:"trace_id,omitempty"`
	// Errors lists every fault of the input.
	Errors []ProblemError `json:"errors,omitempty"`
}

// ProblemError is one fault of the input.
type ProblemError struct {
	Pointer string `json:"pointer"`
	Code    string `json:"code,omitempty"`
	Detail  string `json:"detail"`
}

// statuses is the one place where a kind becomes a status.
var statuses = map[fault.Kind]int{
	fault.Internal:        http.StatusInternalServerError,
	fault.Invalid:         http.StatusBadRequest,
	fault.Unauthenticated: http.StatusUnauthorized,
	fault.Forbidden:       http.StatusForbidden,
	fault.NotFound:        http.StatusNotFound,
	fault.Conflict:        http.StatusConflict,
	fault.Unprocessable:   http.StatusUnprocessableEntity,
	fault.Gone:            http.StatusGone,
	fault.TooLarge:        http.StatusRequestEntityTooLarge,
	fault.Unsupported:     http.StatusUnsupportedMediaType,
	fault.TooMany:         http.StatusTooManyRequests,
	fault.Unavailable:     http.StatusServiceUnavailable,
	fault.Timeout:         http.StatusGatewayTimeout,
}

// Status returns the HTTP status of a kind; an unknown one is a 500.
func Status(kind fault.Kind) int {
	if status, ok := statuses[kind]; ok {
		return status
	}
	return http.StatusInternalServerError
}

// errInternal is what a caller learns of an error that nobody classified.
var errInternal = fault.New(fault.Internal, "internal", "something went wrong on our side; the trace id finds it in our logs")

// classify gives an error that comes from the standard library its kind.
func classify(err error) *fault.Error {
	if f, ok := fault.As(err); ok {
		return f
	}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return fault.Newf(fault.TooLarge, "body_too_large", "the request body has more than %d bytes", tooLarge.Limit)
	case errors.Is(err, context.DeadlineExceeded):
		return fault.New(fault.Timeout, "timeout", "not decided in time; ask again with the same key").RetryAfter(1)
	default:
		return errInternal
	}
}

// unread is the fault of a body that did not come whole: it is the sender's.
func unread(err error) error {
	if f := classify(err); f != errInternal {
		return f.Wrap(err)
	}
	return errUnreadable.Wrap(err)
}

// allStatuses returns the statuses of all kinds.
func allStatuses() []int {
	all := make([]int, 0, len(statuses))
	for _, status := range statuses {
		all = append(all, status)
	}
	return all
}

// Fail ends a request with the problem that err stands for, and logs it: a 5xx
// as an error, the rest for debugging only.
func Fail(c *gin.Context, err error) {
	f := classify(err)
	fail(c.Request.Context(), c, logOf(c.Request.Context()), Status(f.Kind), f, err)
}

func fail(ctx context.Context, c *gin.Context, log *slog.Logger, status int, f *fault.Error, cause error) {
	level := slog.LevelDebug
	if status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	if log.Enabled(ctx, level) {
		log.Log(ctx, level, "request failed",
			"method", c.Request.Method, "route", c.FullPath(), "status", status, "fault", f.Code, "err", cause)
	}
	c.Abort()
	if c.Writer.Written() {
		return // the status is on its way already: the log is all that is left
	}
	writeProblem(c.Writer, status, problemOf(ctx, status, f), f.RetryAfterSeconds)
}

func problemOf(ctx context.Context, status int, f *fault.Error) Problem {
	p := Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: f.Code, Detail: f.Detail}
	if span := trace.SpanContextFromContext(ctx); span.HasTraceID() {
		p.TraceID = span.TraceID().String()
	}
	for _, field := range f.Fields {
		p.Errors = append(p.Errors, ProblemError{Pointer: field.Pointer, Code: field.Code, Detail: field.Detail})
	}
	return p
}

func writeProblem(w http.ResponseWriter, status int, p Problem, retryAfterSeconds int) {
	body, err := json.Marshal(p)
	if err != nil { // strings and numbers always marshal
		status, body = http.StatusInternalServerError, []byte(`{"type":"about:blank","status":500,"code":"internal"}`)
	}
	w.Header().Set("Content-Type", problemType)
	w.Header().Set("Cache-Control", "no-store")
	if retryAfterSeconds > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(retryAfterSeconds))
	}
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // the caller hung up; there is nobody to tell
}
