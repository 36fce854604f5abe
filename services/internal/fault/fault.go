// Package fault gives an error its kind at birth. The domain and its adapters
// say what kind of thing went wrong; only the door (httpkit) turns the kind
// into a status, and only the door logs it.
package fault

import (
	"errors"
	"fmt"
)

// Kind says what went wrong in terms of what the caller can do about it.
type Kind uint8

// The kinds. Internal is the zero value on purpose: an error that nobody
// classified is our fault, not the caller's.
const (
	Internal        Kind = iota // a bug or a broken dependency; retrying may not help
	Invalid                     // the request is malformed; the same request never works
	Unauthenticated             // no or bad credentials
	Forbidden                   // good credentials, but not for this
	NotFound                    // no such thing, or not visible to this caller
	Conflict                    // the state does not allow it now
	Unprocessable               // well-formed, but contradicts a rule or an earlier request
	Gone                        // it was there and will not come back
	TooLarge                    // over a size limit
	Unsupported                 // a media type or encoding that is not accepted
	TooMany                     // over a rate limit; retry after RetryAfterSeconds
	Unavailable                 // a dependency is down; retry after RetryAfterSeconds
	Timeout                     // not decided before the deadline; retry with the same key
)

var kindNames = [...]string{
	Internal:        "internal",
	Invalid:         "invalid",
	Unauthenticated: "unauthenticated",
	Forbidden:       "forbidden",
	NotFound:        "not_found",
	Conflict:        "conflict",
	Unprocessable:   "unprocessable",
	Gone:            "gone",
	TooLarge:        "too_large",
	Unsupported:     "unsupported",
	TooMany:         "too_many",
	Unavailable:     "unavailable",
	Timeout:         "timeout",
}

// String returns the kind in snake case, for logs and test names.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// Field is one fault of one part of the input.
type Field struct {
	// Pointer is a JSON pointer into the request body ("/lines/0/units"), or
	// "query:name", "header:name", "path:name" for a parameter.
	Pointer string
	// Code is stable and meant for programs: "sold_out". It may be empty.
	Code string
	// Detail says what to change, without repeating the value that was sent:
	// it may be personal.
	Detail string
}

// Error is an error with a kind. Code and Detail are shown to the caller; the
// cause is not, it is for the log.
type Error struct {
	Kind Kind
	// Code is stable and meant for programs: "sold_out".
	Code string
	// Detail is one sentence for people.
	Detail string
	// Fields lists every fault of the input at once.
	Fields []Field
	// RetryAfterSeconds, if positive, tells the caller when to come back.
	RetryAfterSeconds int

	cause error
}

// New returns an error of a kind.
func New(kind Kind, code, detail string) *Error {
	return &Error{Kind: kind, Code: code, Detail: detail}
}

// Newf is New with a formatted detail. The detail is shown to the caller.
func Newf(kind Kind, code, format string, args ...any) *Error {
	return New(kind, code, fmt.Sprintf(format, args...))
}

// With returns a copy that also names these fields.
func (e *Error) With(fields ...Field) *Error {
	c := *e
	c.Fields = append(append([]Field(nil), e.Fields...), fields...)
	return &c
}

// Wrap returns a copy with a cause. The cause shows up in Error() and with
// errors.Is, hence in the log, but never in a reply.
func (e *Error) Wrap(err error) *Error {
	c := *e
	c.cause = err
	return &c
}

// RetryAfter returns a copy that asks the caller to come back later.
func (e *Error) RetryAfter(seconds int) *Error {
	c := *e
	c.RetryAfterSeconds = seconds
	return &c
}

// Error returns the code, the detail and the cause.
func (e *Error) Error() string {
	s := e.Code + ": " + e.Detail
	for _, f := range e.Fields {
		s += "; " + f.Pointer + ": " + f.Detail
	}
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether target is a fault of the same kind and code, so that a
// package may export its faults as sentinels and still add details to them.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Kind == e.Kind && t.Code == e.Code
}

// As returns the outermost fault in err's chain.
func As(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}

// KindOf returns the kind of err, or Internal if nobody classified it. The
// kind of nil is Internal too: ask only about errors.
func KindOf(err error) Kind {
	if e, ok := As(err); ok {
		return e.Kind
	}
	return Internal
}
