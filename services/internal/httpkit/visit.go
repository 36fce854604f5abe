package httpkit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"github.com/gin-gonic/gin"

	"github.com/qingcang/qingcang/services/internal/auth"
)

// visit is the context of a request that the document validates: one layer for
// all that the door knows of it.
type visit struct {
	context.Context
	log      *slog.Logger
	bodyHash uint64
}

type visitKey struct{}

// Value implements context.Context.
func (v *visit) Value(key any) any {
	if key == (visitKey{}) {
		return v
	}
	return v.Context.Value(key)
}

// BodyHash returns the hash of a request's body as it was sent, to tell a
// repeat from another request under the same Idempotency-Key. It is 0 for a
// streamed body: the handler hashes that as it reads.
func BodyHash(ctx context.Context) uint64 {
	if v, ok := ctx.Value(visitKey{}).(*visit); ok {
		return v.bodyHash
	}
	return 0
}

// logOf returns the log of the door through which a request came.
func logOf(ctx context.Context) *slog.Logger {
	if v, ok := ctx.Value(visitKey{}).(*visit); ok {
		return v.log
	}
	return slog.Default()
}

// door is what stands before every handler.
type door struct {
	contract  *contract
	log       *slog.Logger
	options   *Options
	deadlines *deadlines
}

// serve lets a request in, or answers it.
func (d *door) serve(c *gin.Context) {
	op := d.contract.find(c)
	if op != nil && op.direct != nil {
		c.Abort() // before it runs, so that the generated handler does not, whatever happens
		d.serveDirect(c, op)
		return
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), d.options.Timeout)
	defer cancel()
	v := &visit{Context: ctx, log: d.log}
	c.Request = c.Request.WithContext(v)
	defer func() {
		if err := panicked(recover()); err != nil {
			Fail(c, err)
		}
	}()
	switch {
	case op != nil:
		if err := d.letIn(c, op, v); err != nil {
			Fail(c, err)
			return
		}
	case c.FullPath() != "" && !d.contract.page(c.FullPath()): // without a path NoRoute or NoMethod answers
		Fail(c, fmt.Errorf("%s %s has a handler but is not in the contract", c.Request.Method, c.FullPath()))
		return
	}
	c.Next()
}

// letIn finds out who comes and whether the request is what the document allows.
func (d *door) letIn(c *gin.Context, op *operation, v *visit) error {
	p, known, err := authenticate(c.Request, op.security)
	if err != nil {
		return err
	}
	if known {
		v.Context = auth.WithPrincipal(v.Context, p)
	}
	return d.contract.admit(c, op, v)
}

// panicked turns what recover returned into an error, except the panic by which
// a handler asks to cut the connection.
func panicked(cause any) error {
	if cause == nil {
		return nil
	}
	if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(cause)
	}
	return fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
}
