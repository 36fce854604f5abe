package httpkit

import (
	"errors"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"

	"github.com/qingcang/qingcang/services/internal/fault"
)

// maxFields bounds the faults named in one reply.
const maxFields = 50

var errInvalid = fault.New(fault.Invalid, "request_invalid", "the request does not match the API's contract; errors lists what to change")

// validationFault collects every fault that validation found. Values that were
// sent do not come back: they may be personal.
func validationFault(err error) error {
	f := classify(err)
	if f != errInternal { // the body was too large or came too slowly
		return f.Wrap(err)
	}
	fields := collect(err, "")
	if len(fields) > maxFields {
		fields = append(fields[:maxFields], fault.Field{Detail: "and more"})
	}
	return errInvalid.With(fields...)
}

func collect(err error, where string) []fault.Field {
	var many openapi3.MultiError
	if m, ok := err.(openapi3.MultiError); ok { //nolint:errorlint // the list itself is wanted, not one within
		many = m
	}
	if many != nil {
		var fields []fault.Field
		for _, e := range many {
			fields = append(fields, collect(e, where)...)
		}
		return fields
	}
	var request *openapi3filter.RequestError
	if errors.As(err, &request) {
		if request.Parameter != nil {
			where = request.Parameter.In + ":" + request.Parameter.Name
		}
		if request.Err == nil {
			return []fault.Field{{Pointer: where, Detail: request.Reason}}
		}
		return collect(request.Err, where)
	}
	var schema *openapi3.SchemaError
	if errors.As(err, &schema) {
		return []fault.Field{{Pointer: where + pointer(schema), Detail: schema.Reason}}
	}
	return []fault.Field{{Pointer: where, Detail: detail(err)}}
}

func detail(err error) string {
	var parse *openapi3filter.ParseError
	switch {
	case errors.Is(err, openapi3filter.ErrInvalidRequired):
		return "is required"
	case errors.Is(err, openapi3filter.ErrInvalidEmptyValue):
		return "must not be empty"
	case errors.As(err, &parse):
		return "cannot be read as the type that the contract names"
	default:
		return "does not match the contract"
	}
}

func pointer(e *openapi3.SchemaError) string {
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	var b strings.Builder
	for _, part := range e.JSONPointer() {
		b.WriteByte('/')
		b.WriteString(escape.Replace(part))
	}
	return b.String()
}
