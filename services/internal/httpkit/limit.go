package httpkit

import (
	"context"
	"time"

	"github.com/failsafe-go/failsafe-go/adaptivelimiter"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"

	"github.com/qingcang/qingcang/services/internal/fault"
)

// errBusy is the fault of a request that could not be served in time.
var errBusy = fault.New(fault.TooMany, "busy", "too many come at once; come again in a second with the same key").RetryAfter(1)

// Bounds of a Limiter: what it lets in at once. They are high because to turn somebody away costs a third of
// what it costs to serve him, and he comes again: 2,000 connections that asked for three times what a
// process could do got a quarter of it where 500 were let in, and all of it where they could wait.
const (
	// fewest is where a limit that follows a slow log ends: full batches, and a second's wait at 1,000 a second.
	fewest = 1_024
	// most is what a process may keep waiting; at 20,000 a second the last waits 0.4 seconds.
	most = 8_192
	// atFirst is where a process begins that knows nothing of its own speed.
	atFirst = 4_096
)

// How a Limiter follows latency: it looks up to 50 times a second, at the slowest tenth of what it let in,
// and goes a step of the limit's logarithm up or down.
const (
	lookEvery   = 20 * time.Millisecond
	lookAtLeast = 50
	slowTenth   = 0.9
)

// Limiter lets in as many callers as are served without waiting longer than they
// used to, and turns the others away at once, for who waits in a queue that only
// grows is not served either. It is safe for concurrent use.
type Limiter struct {
	adaptive adaptivelimiter.AdaptiveLimiter[any]
}

// NewLimiter returns a limiter whose limit is measured under this name.
func NewLimiter(name string) (*Limiter, error) {
	l := &Limiter{adaptivelimiter.NewBuilder[any]().
		WithLimits(fewest, most, atFirst).
		WithRecentWindow(lookEvery, time.Second, lookAtLeast).
		WithRecentQuantile(slowTenth).
		// A quiet minute does not make the limit so low that the first second of a sale is turned away.
		WithMaxLimitFunc(func(int) float64 { return most }).
		Build()}
	_, err := otel.Meter(scope).Int64ObservableGauge(name+".limit", metric.WithDescription("How many are let in at once."),
		metric.WithInt64Callback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(int64(l.adaptive.Limit()))
			return nil
		}))
	return l, err
}

// Check is busy when Enter would be. It keeps no place: it is asked before what
// may take the caller long, such as sending his body.
func (l *Limiter) Check() error {
	if !l.adaptive.CanAcquirePermit() {
		return errBusy
	}
	return nil
}

// Enter takes a place, or is busy. leave gives it back; done tells whether the
// time that it took says something about the load.
func (l *Limiter) Enter() (leave func(done bool), err error) {
	permit, ok := l.adaptive.TryAcquirePermit()
	if !ok {
		return nil, errBusy
	}
	return func(done bool) {
		if done {
			permit.Record()
		} else {
			permit.Drop()
		}
	}, nil
}
