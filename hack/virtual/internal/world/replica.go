package world

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/qingcang/qingcang/proto/eventkit"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/services/internal/run"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
	"github.com/qingcang/qingcang/services/order/internal/wiring"
	"github.com/qingcang/qingcang/services/order/virtual/internal/network"
)

// snapshotEvery is so few entries that every sale comes to a snapshot.
const snapshotEvery = 64

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

// Machine is where a replica runs, and how. Its zero value is as good as any.
type Machine struct {
	// Clock is the machine's; nil is the world's.
	Clock func() time.Time
	// Lane is the campaign whose own lane alone is run; empty runs everything.
	Lane string
	// Rules are those that the deployment asks lanes to switch to; 0 asks for none.
	Rules uint16
}

// Join starts a replica and does not wait until it is ready.
func (w *World) Join() *Replica { return w.JoinOn(Machine{}) }

// JoinOn is Join on a machine that is not like the others.
func (w *World) JoinOn(m Machine) *Replica {
	w.Helper()
	w.started++
	name := fmt.Sprintf("replica-%d", w.started)
	r := &Replica{world: w, Host: w.Network.Host(name, w.latency), gone: make(chan struct{})}
	log := w.logger(name)
	conn, err := eventkit.Dial(eventkit.Config{Brokers: w.Broker.ListenAddrs(), Dial: r.Host.Dial, Now: m.Clock})
	w.must(err)
	w.conns = append(w.conns, conn)
	ctx, stop := context.WithCancel(context.WithoutCancel(w.Context()))
	r.stop = stop
	r.Service, err = wiring.Assemble(ctx, wiring.Outside{
		Kafka: conn, Payments: w.Database.Payments, Snapshots: w.Database.Lanes, Dedicated: w.Database.Dedicated, Provider: w.Provider,
		Buyers: w.buyers, Shares: w.shares, DatabaseReady: ready, Lane: m.Lane, LaneRules: m.Rules, SnapshotEvery: snapshotEvery,
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
	w.Ready(r)
	return r
}

// Ready waits until the replicas are ready and share the consumer group among them. One that dies
// between joining and that stays a member of kfake's group for ever, as it would of no Kafka's.
func (w *World) Ready(replicas ...*Replica) {
	w.Helper()
	w.Eventually(func() error {
		generation := replicas[0].Host.Generation()
		for _, r := range replicas {
			if err := r.Ready(); err != nil {
				return err
			}
			if g := r.Host.Generation(); g == 0 || g != generation {
				return fmt.Errorf("%s: generation %d of the group, others %d", r.Host.Name, g, generation)
			}
		}
		return nil
	})
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
	for _, lane := range r.Lanes.All() {
		lane.Peek(func(l *ledger.Ledger) {
			if known, ok := l.Status(uid); ok {
				status = known
			}
		})
	}
	if status.GetPhase() != want {
		return fmt.Errorf("%s: the campaign is in phase %s", r.Host.Name, status.GetPhase())
	}
	return nil
}

// Decisions are what a lane has decided: where it is, and a digest of all on the way there.
type Decisions struct {
	Last   ledger.Position
	Digest uint64
}

// Decisions of the lane as this replica has read it.
func (r *Replica) Decisions() (d Decisions) {
	r.Lanes.All()[Partition].Peek(func(l *ledger.Ledger) { d = Decisions{l.Last(), l.Digest()} })
	return d
}

// Next is the offset that the lane of a campaign comes to next.
func (r *Replica) Next(uid string) (next int64) {
	for _, l := range r.Lanes.All() {
		if status, _, ok := l.Status(uid); ok {
			next = status.GetOffset()
		}
	}
	return next
}

// ActiveRules are those under which the lane's next entry counts.
func (r *Replica) ActiveRules() (rules uint16) {
	r.Lanes.All()[Partition].Peek(func(l *ledger.Ledger) { rules = l.ActiveRules() })
	return rules
}
