package main

import (
	"context"
	"fmt"
	"time"

	"github.com/qingcang/qingcang/hack/internal/stack"
)

// pausedFor is longer than Kafka's session of 9 s: the cluster gives the broker up meanwhile.
const pausedFor = 12 * time.Second

// brokers are the victims among Apache Kafka's three: one is killed, one paused, one restarted. Each
// has to be in step again before the next fault: two at once are more than three brokers are made for.
func (r *rush) brokers() []victim {
	first := r.rand.IntN(stack.KafkaBrokers)
	number := func(i int) int { return 1 + (first+i)%stack.KafkaBrokers }
	broker := func(verb string, n int, harm func(context.Context, int) error) victim {
		return victim{fmt.Sprintf("broker %d (%s)", n, verb), func(ctx context.Context) error {
			if err := harm(ctx, n); err != nil {
				return err
			}
			return r.Kafka.WaitInSync(ctx)
		}}
	}
	return []victim{
		broker("kill", number(0), func(_ context.Context, n int) error { return r.Kafka.Kill(n) }),
		broker("pause", number(1), r.pauseBroker),
		broker("restart", number(2), func(_ context.Context, n int) error { return r.Kafka.Restart(n) }),
	}
}

func (r *rush) pauseBroker(ctx context.Context, n int) error {
	if err := r.Kafka.Pause(n); err != nil {
		return err
	}
	timer := time.NewTimer(pausedFor)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return r.Kafka.Resume(n)
}
