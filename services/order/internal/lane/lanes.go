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
	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
)

// SharedTopic holds the lanes that small campaigns share.
const SharedTopic = "lanes.shared.v1"

// defaultSnapshotEvery is the number of entries between two snapshots of a lane. A
// start reads at most about as many, in half a second; each snapshot reads them too.
const defaultSnapshotEvery = 200_000

// ErrUnknownCampaign is the fault of an order for a campaign that has no lane.
var ErrUnknownCampaign = fault.New(fault.NotFound, ledger.UnknownCampaign, "no campaign has this uid")

// ErrUnknownOrder is the fault of an order that no lane has.
var ErrUnknownOrder = fault.New(fault.NotFound, "unknown_order", "no order has this id")

// errNoLane is a campaign whose lane this replica does not run.
var errNoLane = fault.New(fault.Unavailable, "lane_not_here", "this campaign's sale is not served here; come again later").RetryAfter(30)

// errStarting is a replica that cannot say yet that a campaign does not exist.
var errStarting = fault.New(fault.Unavailable, "starting", "this replica has just been started; come again in a second with the same key").RetryAfter(1)

// Config is what lanes need.
type Config struct {
	Conn      *eventkit.Conn
	Campaigns *Campaigns
	// Snapshots keeps the states of the shared lanes, Dedicated those of the others.
	Snapshots Snapshots
	Dedicated DedicatedSnapshots
	Log       *slog.Logger
	// Only is the uid of the one campaign whose dedicated lane is run; empty runs every lane.
	Only string
	// Alongside, if set, runs beside a lane's publisher, as long as it does. Of a dedicated lane it may end
	// when the lane is over and the world knows.
	Alongside func(ctx context.Context, l *Lane) error
	// Rules asks for a switch of every lane to these rules; 0, or no more than what counts, asks for none.
	Rules uint16
	// SnapshotEvery is the number of entries between two snapshots; 0 is 200,000.
	SnapshotEvery int64

	measures *measures
}

// Lanes are the lanes that a process runs: all, or a single one. It is safe for concurrent use.
type Lanes struct {
	cfg    Config
	shared []*Lane // by partition; none where a single lane is run
	own    *dedicated
}

// New makes the lanes of the topic's partitions; Run runs them, and the dedicated ones.
func New(cfg Config) (*Lanes, error) {
	topic, ok := eventkit.TopicNamed(SharedTopic)
	if !ok || topic.Partitions <= 0 {
		return nil, fmt.Errorf("%s is not in the list of topics", SharedTopic)
	}
	if cfg.Rules > ledger.Rules {
		return nil, fmt.Errorf("LANE_RULES asks for rules %d; this binary knows those up to %d", cfg.Rules, ledger.Rules)
	}
	if cfg.Only != "" && !ValidUID(cfg.Only) {
		return nil, fmt.Errorf("LANE is %q, which is no campaign's uid", cfg.Only)
	}
	if cfg.SnapshotEvery == 0 {
		cfg.SnapshotEvery = defaultSnapshotEvery
	}
	var err error
	if cfg.measures, err = newMeasures(); err != nil {
		return nil, err
	}
	s := &Lanes{cfg: cfg, own: newDedicated(cfg)}
	if cfg.Only != "" {
		return s, nil
	}
	for partition := range topic.Partitions {
		s.shared = append(s.shared, newLane(SharedTopic, partition, cfg))
	}
	return s, nil
}

// Run runs every lane until ctx ends.
func (s *Lanes) Run(ctx context.Context) error {
	unobserve, err := s.observe()
	if err != nil {
		return err
	}
	defer func() { _ = unobserve() }() // the gauges of a process that ends
	group, ctx := errgroup.WithContext(ctx)
	for _, l := range s.shared {
		group.Go(func() error { return l.run(ctx) })
	}
	group.Go(func() error { return s.own.run(ctx) })
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
		return s.shared[a.Partition].own(ctx, a, s.cfg)
	}}
}

// Dedicated returns the lane of a campaign's own, if this process knows it.
func (s *Lanes) Dedicated(campaignUID string) (*Lane, bool) { return s.own.known(campaignUID) }

// All returns the shared lanes by partition.
func (s *Lanes) All() []*Lane { return s.shared }

// at returns the lane of a name, as it stands.
func (s *Lanes) at(name *campaignv1.Lane) (*Lane, error) {
	if name.GetTopic() != SharedTopic {
		return s.own.of(name)
	}
	if name.GetPartition() < 0 || int(name.GetPartition()) >= len(s.shared) {
		return nil, errNoLane
	}
	return s.shared[name.GetPartition()], nil
}

// toTell returns the lane of a name, for a command about a campaign that it must hear.
func (s *Lanes) toTell(ctx context.Context, name *campaignv1.Lane, campaignUID string) (*Lane, error) {
	if name.GetTopic() == SharedTopic {
		return s.at(name)
	}
	if !mayRunOn(name, campaignUID) {
		return nil, errNoLane
	}
	l, err := s.own.awake(campaignUID)
	if err == nil && !l.awaitRunning(ctx) {
		err = errStarting
	}
	return l, err
}

// Do appends a command to a lane and waits until it is decided here; see Lane.Do.
func (s *Lanes) Do(ctx context.Context, name *campaignv1.Lane, c record.Command) error {
	l, err := s.at(name)
	if err == nil && l.campaign != "" && l.stageNow() != running {
		err = errStarting
	}
	if err != nil {
		return err
	}
	return l.Do(ctx, c)
}

// Place asks a lane for an order; see Lane.Place.
func (s *Lanes) Place(ctx context.Context, name *campaignv1.Lane, p *record.Place) (ledger.Order, error) {
	l, err := s.at(name)
	if err != nil {
		return ledger.Order{}, err
	}
	if l.campaign == "" {
		return l.Place(ctx, p)
	}
	switch l.stageNow() {
	case running:
		return l.Place(ctx, p)
	case resting:
		return ledger.Gone(p), nil
	}
	return ledger.Order{}, errStarting
}

// Refusal says why a lane would refuse any order of a buyer; see Lane.Refusal.
func (s *Lanes) Refusal(ctx context.Context, name *campaignv1.Lane, ask Ask) (reason string, at int64, err error) {
	l, err := s.at(name)
	if err != nil {
		return "", 0, err
	}
	if l.campaign == "" {
		return l.Refusal(ctx, ask)
	}
	switch l.stageNow() {
	case running:
		return l.Refusal(ctx, ask)
	case resting: // for good, whatever else its log may hold
		return ledger.Closed, l.applied(), nil
	}
	return "", 0, errStarting
}

// Pay tells a lane that money came for an order. What the order held need not be
// given: it is read from the lane.
func (s *Lanes) Pay(ctx context.Context, name *campaignv1.Lane, p *record.Pay) error {
	l, err := s.toTell(ctx, name, p.CampaignUID)
	if err != nil {
		return err
	}
	return l.pay(ctx, p)
}

// Allocate tells a lane what a campaign's stock pool answered. It does not wait
// for the lane to take it in, so that a lane that stands still, or waits until there
// is room for it, does not hold up the stock of others; nor does a lane that cannot be
// run: its campaign is refused, or its topic was never made.
func (s *Lanes) Allocate(ctx context.Context, name *campaignv1.Lane, a *record.Allocate) error {
	l, err := s.toTell(ctx, name, a.CampaignUID)
	if errors.Is(err, errNoLane) || err != nil && l != nil && l.gaveUp() {
		s.cfg.Log.ErrorContext(ctx, "an allocation is for a lane that is not there",
			"campaign", a.CampaignUID, "generation", a.Generation, "topic", name.GetTopic(), "partition", name.GetPartition())
		return nil
	}
	if err != nil && (l == nil || l.stageNow() != queued) {
		return err
	}
	return l.tell(ctx, a)
}

// LaneOf returns the lane of a campaign: what the table says, else the lane
// whose ledger has it, for the operator may have forgotten a campaign that is
// long over.
func (s *Lanes) LaneOf(uid string) (*campaignv1.Lane, error) {
	if !s.own.serves(uid) {
		return nil, errNoLane
	}
	if d, ok := s.cfg.Campaigns.Desired(uid); ok {
		if !mayRunOn(d.GetLane(), uid) {
			return nil, errNoLane
		}
		return d.GetLane(), nil
	}
	if l, ok := s.own.known(uid); ok {
		return l.Name(), nil
	}
	for _, l := range s.shared {
		known := false
		l.Peek(func(state *ledger.Ledger) { known = state.Knows(uid) || state.Retired(uid) })
		if known {
			return l.Name(), nil
		}
	}
	// Who has not read everything yet does not know what there is not.
	if err := errors.Join(s.cfg.Campaigns.Ready(nil), s.Ready(nil)); err != nil {
		return nil, errStarting.Wrap(err)
	}
	return nil, ErrUnknownCampaign
}

func ignore(*ledger.Ledger) {}

// Ready is a readiness check: every lane that was there when this process started has applied what its log held
// then. A dedicated lane that comes later, or whose topic is not there, makes nobody unready: the others are
// served, and its own replicas know as well as any that there is nothing to sell yet.
func (s *Lanes) Ready(*http.Request) error {
	errs := s.own.caughtUp()
	for _, l := range s.shared {
		errs = append(errs, l.caughtUp())
	}
	return errors.Join(errs...)
}
