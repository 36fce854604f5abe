package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/qingcang/qingcang/hack/internal/stack"
)

// comeBack bounds how long a killed process may take to serve again.
const comeBack = 90 * time.Second

// killer kills each process of the suite once, spread evenly over the orders: one at a time, and
// while the others are busy.
type killer struct {
	supervisor *stack.Supervisor
	total      int
	killed     int
	out        io.Writer
}

func newKiller(s *stack.Supervisor, total int) *killer {
	return &killer{supervisor: s, total: total, out: os.Stderr}
}

// victims in the order of their death.
var victims = []string{
	"order-a", "fulfilment", stack.DatabaseName, "store-owner", "kube-apiserver", stack.BrokerName, "brand-intake",
	"sim", "order-b", "proxy", "operator", stack.EtcdName, "catalog",
}

// pass is called before order n goes out. It waits for the last victim before it kills the next, so
// that what is seen is one death at a time. A nil killer kills nobody.
func (k *killer) pass(ctx context.Context, n int) error {
	if k == nil || k.killed == len(victims) || n < (k.killed+1)*k.total/(len(victims)+1) {
		return nil
	}
	if err := k.back(ctx); err != nil {
		return err
	}
	victim := victims[k.killed]
	k.killed++
	if err := k.supervisor.Kill(victim); err != nil {
		return fmt.Errorf("kill %s: %w", victim, err)
	}
	_, _ = fmt.Fprintf(k.out, "  killed %s before order %d\n", victim, n)
	return nil
}

// back returns when the last victim serves again.
func (k *killer) back(ctx context.Context) error {
	if k.killed == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, comeBack)
	defer cancel()
	victim := victims[k.killed-1]
	if err := k.supervisor.WaitReady(ctx, victim); err != nil {
		return fmt.Errorf("%s was killed and did not come back: %w", victim, err)
	}
	return nil
}

// finish checks that everybody was killed and is back.
func (k *killer) finish(ctx context.Context) error {
	if k == nil {
		return nil
	}
	if k.killed < len(victims) {
		return fmt.Errorf("%d of %d processes were killed: the file has too few orders", k.killed, len(victims))
	}
	for _, victim := range victims {
		if n, err := k.supervisor.Restarts(victim); err != nil || n == 0 {
			return fmt.Errorf("%s was killed and not started again: %w", victim, err)
		}
	}
	return k.back(ctx)
}
