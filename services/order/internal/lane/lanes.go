package lane

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"golang.org/x/sync/errgroup"

	"github.com/qingcang/qingcang/proto/eventkit"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
)

// SharedTopic holds the lanes that small campaigns share.
const SharedTopic = "lanes.shared.v1"

// defaultSnapshotEvery is the number of entries between two snapshots of a lane:
// a start reads at most about as many, in under a second.
const defaultSnapshotEvery = 20_000

// ErrUnknownCampaign is the fault of an order for a campaign that has no lane.
var ErrUnknownCampaign = fault.New(fault.NotFound, ledger.UnknownCampaign, "no campaign has this uid")

// ErrUnknownOrder is the fault of an order that no lane has.
var ErrUnknownOrder = fault.New(fault.NotFound, "unknown_order", "no order has this id")

// errNoLane is a campaign whose lane this build does not run.
var errNoLane = fault.New(fault.Unavailable, "lane_not_here", "this campaign's sale is not served here; come again later").RetryAfter(30)

// Config is what lanes need.
type Config struct {
	Conn      *eventkit.Conn
	Campaigns *Campaigns
	// Snapshots keeps the states of the shared lanes.
	Snapshots Snapshots
	Log       *slog.Logger
	// SnapshotEvery is the number of entries between two snapshots; 0 is 20,000.
	SnapshotEvery int64
}

// Lanes are all partitions of the shared lanes. It is safe for concurrent use.
type Lanes struct {
	cfg    Config
	shared []*Lane // by partition
}

// New makes the lanes of the topic's partitions; Run runs them.
func New(cfg Config) (*Lanes, error) {
	topic, ok := eventkit.TopicNamed(SharedTopic)
	if !ok || topic.Partitions <= 0 {
		return nil, fmt.Errorf("%s is not in the list of topics", SharedTopic)
	}
	if cfg.SnapshotEvery == 0 {
		cfg.SnapshotEvery = defaultSnapshotEvery
	}
	s := &Lanes{cfg: cfg}
	for partition := range topic.Partitions {
		s.shared = append(s.shared, newLane(SharedTopic, partition, cfg))
	}
	return s, nil
}

// Run runs every lane until ctx ends.
func (s *Lanes) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, l := range s.shared {
		group.Go(func() error { return l.run(ctx) })
	}
	return group.Wait()
}

// Publisher is the role of SharedTopic in the service's consumer group: it
// publishes the lanes whose partitions are assigned here, keeps their time, and
// tells them of campaigns.
func (s *Lanes) Publisher() eventkit.Role {
	return eventkit.Role{Own: func(ctx context.Context, a eventkit.Assignment) error {
		if a.Partition >= len(s.shared) {
			return fmt.Errorf("%s/%d has no lane here", a.Topic, a.Partition)
		}
		return s.shared[a.Partition].own(ctx, a, s.cfg.Campaigns, s.cfg.SnapshotEvery)
	}}
}

// All returns the lanes by partition.
func (s *Lanes) All() []*Lane { return s.shared }

// At returns the lane that a campaign's desired state names.
func (s *Lanes) At(lane *campaignv1.Lane) (*Lane, error) {
	if lane.GetTopic() != SharedTopic || lane.GetPartition() < 0 || int(lane.GetPartition()) >= len(s.shared) {
		return nil, errNoLane
	}
	return s.shared[lane.GetPartition()], nil
}

// OfCampaign returns the lane of a campaign: what the table says, else the lane
// whose ledger has it, for the operator may have forgotten a campaign that is
// long over.
func (s *Lanes) OfCampaign(uid string) (*Lane, error) {
	if d, ok := s.cfg.Campaigns.Desired(uid); ok {
		return s.At(d.GetLane())
	}
	for _, l := range s.shared {
		known := false
		l.Peek(func(state *ledger.Ledger) { known = state.Knows(uid) || state.Retired(uid) })
		if known {
			return l, nil
		}
	}
	return nil, ErrUnknownCampaign
}

// Order returns an order as it stands when all that was in its lane's log at the
// time of the call has been applied here, and its lane.
func (s *Lanes) Order(ctx context.Context, id string) (ledger.Order, *Lane, error) {
	for _, l := range s.shared {
		if _, ok := l.peekOrder(id); ok {
			return l.viewOrder(ctx, id)
		}
	}
	// Another replica may have placed it a moment ago.
	var unavailable error
	for _, l := range s.shared {
		o, lane, err := l.viewOrder(ctx, id)
		if err == nil {
			return o, lane, nil
		}
		if !errors.Is(err, ErrUnknownOrder) {
			unavailable = err
		}
	}
	if unavailable != nil {
		return ledger.Order{}, nil, unavailable
	}
	return ledger.Order{}, nil, ErrUnknownOrder
}

func (l *Lane) peekOrder(id string) (o ledger.Order, ok bool) {
	l.Peek(func(state *ledger.Ledger) { o, ok = state.Order(id) })
	return o, ok
}

func (l *Lane) viewOrder(ctx context.Context, id string) (o ledger.Order, lane *Lane, err error) {
	found := false
	if err := l.View(ctx, func(state *ledger.Ledger) { o, found = state.Order(id) }); err != nil {
		return o, nil, err
	}
	if !found {
		return o, nil, ErrUnknownOrder
	}
	return o, l, nil
}

// Ready is a readiness check: every lane has applied what its log held when this
// process started.
func (s *Lanes) Ready(*http.Request) error {
	var errs []error
	for _, l := range s.shared {
		errs = append(errs, l.caughtUp())
	}
	return errors.Join(errs...)
}
