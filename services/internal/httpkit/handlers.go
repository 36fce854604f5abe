package httpkit

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/qingcang/qingcang/services/internal/fault"
)

// These four are the error handlers of oapi-codegen's gin server: pass
// RequestError, HandlerError and ResponseError in StrictGinServerOptions, and
// ParameterError as GinServerOptions.ErrorHandler.

// RequestError answers a request that could not be decoded. Validation passed
// before it, so it is rare: a body that breaks off, or a type that only Go
// refuses.
func RequestError(c *gin.Context, err error) {
	if _, ok := fault.As(err); !ok {
		err = unread(err)
	}
	Fail(c, err)
}

// HandlerError answers with the error that a handler returned.
func HandlerError(c *gin.Context, err error) { Fail(c, err) }

// ResponseError answers when a reply could not be written.
func ResponseError(c *gin.Context, err error) { Fail(c, err) }

// ParameterError answers a request whose parameters could not be bound.
func ParameterError(c *gin.Context, err error, status int) {
	if status >= http.StatusInternalServerError {
		Fail(c, err)
		return
	}
	Fail(c, errUnreadable.Wrap(err))
}

var errUnreadable = fault.New(fault.Invalid, "request_unreadable", "the request cannot be decoded; compare it with the API's contract")
