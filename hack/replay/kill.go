package main

import (
	"context"
	"fmt"
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
}

func newKiller(s *stack.Supervisor, total int) *killer { return &killer{supervisor: s, total: total} }

// victims in the order of their death.
var victims = []string{
	"order-a", "fulfilment", stack.DatabaseName, "store-owner", "kube-apiserver", stack.BrokerName, "brand-intake",
	"sim", "order-b", "proxy", "operator", "etcd", "catalog",
}

// pass is called before order n goes out. It waits for the last victim before it kills the next, so
// that what is seen is one death at a time. A nil killer kills nobody.
func (k *killer) pass(ctx context.Context, n int) error {
	if k == nil || k.killed == len(victims) || n < (k.killed+1)*k.total/(len(victims)+1) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, comeBack)
	defer cancel()
	if k.killed > 0 {
		if err := k.supervisor.WaitReady(ctx, victims[k.killed-1]); err != nil {
			return fmt.Errorf("%s was killed and did not come back: %w", victims[k.killed-1], err)
		}
	}
	victim := victims[k.killed]
	k.killed++
	if err := k.supervisor.Kill(victim); err != nil {
		return fmt.Errorf("kill %s: %w", victim, err)
	}
	return nil
}
