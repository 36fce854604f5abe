// Package poll waits for what comes about by itself: what one process decided, another hears a moment later.
package poll

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	firstPause = 20 * time.Millisecond
	// longestPause is short beside everything that is waited for, and long beside a request.
	longestPause = 250 * time.Millisecond
)

// Until repeats check, with pauses that grow to a quarter of a second, until it returns nil or ctx ends. The
// error then has why ctx ended and what check complained of last while it had time.
func Until(ctx context.Context, check func(context.Context) error) error {
	last := errors.New("there was no time left")
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := check(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", context.Cause(ctx), last)
		case <-time.After(pause):
		}
	}
}

// Within is Until for so long at the most.
func Within(ctx context.Context, limit time.Duration, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not within %s", max(limit, 0).Round(time.Millisecond)))
	defer cancel()
	return Until(ctx, check)
}
