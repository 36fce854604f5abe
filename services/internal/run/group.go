package run

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// stopTimeout bounds the stop of all parts together. Kubernetes kills after 30
// seconds; the rest is for the flush of telemetry.
const stopTimeout = 22 * time.Second

// Group runs the parts of a service. They start in the order of the Go calls,
// and stop in reverse: what is called last (the HTTP server) stops taking work
// before what it needs (consumers, journals, the database) goes away. Use it
// from one goroutine.
type Group struct {
	ctx     context.Context
	log     *slog.Logger
	parts   []*part
	failed  chan error
	timeout time.Duration
}

type part struct {
	name string
	stop context.CancelFunc
	done chan struct{}
	err  error // read after done is closed
}

// NewGroup makes a group that stops when ctx does.
func NewGroup(ctx context.Context, log *slog.Logger) *Group {
	return &Group{ctx: ctx, log: log, failed: make(chan error, 1), timeout: stopTimeout}
}

// Go starts a part. fn returns soon after its context is cancelled; the first
// error of any part stops all. A part may return nil early: it is then done.
func (g *Group) Go(name string, fn func(ctx context.Context) error) {
	// Not a child of g.ctx: each part is stopped in its turn.
	ctx, stop := context.WithCancel(context.WithoutCancel(g.ctx))
	p := &part{name: name, stop: stop, done: make(chan struct{})}
	g.parts = append(g.parts, p)
	go func() {
		defer close(p.done)
		err := fn(ctx)
		if err == nil || (errors.Is(err, context.Canceled) && ctx.Err() != nil) {
			return
		}
		p.err = fmt.Errorf("%s: %w", name, err)
		select {
		case g.failed <- p.err:
		default: // another part failed first
		}
	}()
	g.log.Debug("started", "part", name)
}

// Wait blocks until the group's context is cancelled or a part fails, stops
// the parts in reverse, and returns the errors of all of them. A part that
// does not stop within the deadline is named and left behind.
func (g *Group) Wait() error {
	select {
	case <-g.ctx.Done():
	case err := <-g.failed:
		g.log.Error("a part failed; stopping", "err", err)
	}
	deadline := time.NewTimer(g.timeout)
	defer deadline.Stop()
	var errs []error
	expired := false
	for i := len(g.parts) - 1; i >= 0; i-- {
		p := g.parts[i]
		p.stop()
		if !expired {
			select {
			case <-p.done:
			case <-deadline.C:
				expired = true
			}
		}
		errs = append(errs, p.outcome())
	}
	return errors.Join(errs...)
}

func (p *part) outcome() error {
	select {
	case <-p.done:
		return p.err
	default:
		return fmt.Errorf("%s: did not stop in time", p.name)
	}
}
