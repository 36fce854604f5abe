package operator

import (
	"context"
	"errors"
	"fmt"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
)

// stopWithin is what a manager that began its work gets to end it; a pod's grace period is longer.
const stopWithin = 15 * time.Second

// errStopsLate is an operator that is told to stop while the API server does not answer.
var errStopsLate = errors.New("the manager does not stop in time")

// manage runs the manager until ctx ends. A manager whose context ends while its caches are not filled
// turns on the spot for ever (controller-runtime v0.25.2, runnableGroup.Start: a cache that gives up does
// not say so). So it hears of the end when its caches are full; one that is never so far is left behind after
// stopWithin, because the process ends.
func manage(ctx context.Context, mgr ctrl.Manager) error {
	full := begun{at: make(chan struct{})}
	if err := mgr.Add(full); err != nil {
		return fmt.Errorf("add what says that the caches are full: %w", err)
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() {
		defer stop()
		ended <- mgr.Start(running)
	}()
	go func() {
		<-ctx.Done()
		select {
		case <-full.at:
			stop()
		case <-running.Done():
		}
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	timer := time.NewTimer(stopWithin)
	defer timer.Stop()
	select {
	case err := <-ended:
		return err
	case <-timer.C:
		return errStopsLate
	}
}

// begun says that the manager starts what needs its caches.
type begun struct{ at chan struct{} }

// Start implements manager.Runnable.
func (b begun) Start(ctx context.Context) error {
	close(b.at)
	<-ctx.Done()
	return nil
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: who stands by has caches, too.
func (begun) NeedLeaderElection() bool { return false }
