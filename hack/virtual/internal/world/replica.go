package world

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/qingcang/qingcang/proto/eventkit"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/services/internal/run"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
	"github.com/qingcang/qingcang/services/order/internal/wiring"
	"github.com/qingcang/qingcang/services/order/virtual/internal/network"
)

// Replica is one process of the service.
type Replica struct {
	*wiring.Service
	Host *network.Host

	world *World
	gone  chan struct{} // closed when it stops or crashes: callers lose their connections
	once  sync.Once
	stop  context.CancelFunc
	ended sync.WaitGroup
}

// Join starts a replica and does not wait until it is ready.
func (w *World) Join() *Replica {
	w.Helper()
	w.started++
	name := fmt.Sprintf("replica-%d", w.started)
	r := &Replica{world: w, Host: w.Network.Host(name, w.latency), gone: make(chan struct{})}
	log := w.logger(name)
	conn, err := eventkit.Dial(eventkit.Config{Brokers: w.Broker.ListenAddrs(), Dial: r.Host.Dial})
	w.must(err)
	ctx, stop := context.WithCancel(context.WithoutCancel(w.Context()))
	r.stop = stop
	r.Service, err = wiring.Assemble(ctx, wiring.Outside{
		Kafka: conn, Payments: w.Store, Snapshots: w.Store, Provider: w.Provider,
		Buyers: w.buyers, Shares: w.shares, DatabaseReady: ready,
	}, log)
	if err != nil {
		stop()
		w.Fatal(err)
	}
	group := run.NewGroup(ctx, log)
	r.Start(group)
	r.ended.Go(func() {
		defer conn.Close()
		if err := group.Wait(); err != nil {
			w.Errorf("%s stopped: %v", name, err)
		}
	})
	w.Cleanup(r.Stop)
	return r
}

// Start starts a replica and waits until it is ready.
func (w *World) Start() *Replica {
	w.Helper()
	r := w.Join()
	w.Eventually(r.Ready)
	return r
}

// Ready is what the readiness probe says.
func (r *Replica) Ready() error {
	if a := r.probe("/readyz?verbose"); a.Status != http.StatusOK {
		return fmt.Errorf("%s: %d %s", r.Host.Name, a.Status, a.Text)
	}
	return nil
}

// Stop ends the replica as SIGTERM does and waits until it is gone.
func (r *Replica) Stop() {
	r.once.Do(func() { close(r.gone) })
	r.stop()
	r.ended.Wait()
}

// Crash ends the replica as kill -9 does: what it had not sent by now is never sent, and who waits
// for its answers gets none.
func (r *Replica) Crash() {
	r.once.Do(func() { close(r.gone) })
	r.Host.Crash()
	r.stop()
}

// InPhase is nil if the replica knows the campaign to be in a phase.
func (r *Replica) InPhase(uid string, want campaignv1.Status_Phase) error {
	var status *campaignv1.Status
	r.Lanes.All()[Partition].Peek(func(l *ledger.Ledger) { status, _ = l.Status(uid) })
	if status.GetPhase() != want {
		return fmt.Errorf("%s: the campaign is in phase %s", r.Host.Name, status.GetPhase())
	}
	return nil
}

var errGone = errors.New("the replica is gone")
