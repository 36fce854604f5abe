package httpkit

import (
	"context"
	"sync/atomic"
	"time"
)

// sharedFor is how long requests share a deadline, and so the most by which one
// of them gets less time than the others.
const sharedFor = 250 * time.Millisecond

// deadlines hands out contexts that end after a timeout. Requests that come
// within the same quarter of a second get the same one: a timer and a channel of
// its own would cost each as much as reading its body. It is safe for concurrent
// use.
type deadlines struct {
	timeout time.Duration
	current atomic.Pointer[sharedDeadline]
}

type sharedDeadline struct {
	context.Context
	until time.Time // who comes later gets another
}

// at returns a context that ends at most the timeout after now, and at least
// that less sharedFor. It does not end when the client hangs up: what was asked
// for may be decided all the same.
func (d *deadlines) at(now time.Time) context.Context {
	s := d.current.Load()
	if s != nil && now.Before(s.until) {
		return s.Context
	}
	ctx, cancel := context.WithDeadline(context.Background(), now.Add(d.timeout))
	context.AfterFunc(ctx, cancel) // frees what vet believes to be lost; the deadline ends it
	next := &sharedDeadline{ctx, now.Add(min(sharedFor, d.timeout/2))}
	d.current.CompareAndSwap(s, next) // whoever loses has one of his own for once
	return ctx
}
