package poll_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/qingcang/qingcang/hack/internal/poll"
)

var errNotYet = errors.New("not yet")

func TestUntil(t *testing.T) {
	for name, test := range map[string]struct {
		after, limit time.Duration
		want         string
	}{
		"what is so at once is not waited for":     {0, time.Minute, ""},
		"what comes about is waited for":           {40 * time.Second, time.Minute, ""},
		"what does not is given up, with a reason": {time.Hour, time.Minute, "not within 1m0s: not yet"},
		"a check without time is not believed":     {time.Hour, 0, "not within 0s: there was no time left"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				err := poll.Within(t.Context(), test.limit, func(ctx context.Context) error {
					if ctx.Err() == nil && time.Since(began) >= test.after {
						return nil
					}
					return errNotYet
				})
				if (err == nil) != (test.want == "") || (err != nil && err.Error() != test.want) {
					t.Errorf("got %v, want %q", err, test.want)
				}
				if took := time.Since(began); took > min(test.after+time.Second, test.limit) {
					t.Errorf("it took %s", took)
				}
			})
		})
	}
}

func TestUntilEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		err := poll.Until(ctx, func(context.Context) error { cancel(); return errNotYet })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want that it was cancelled", err)
		}
	})
}
