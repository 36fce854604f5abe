package mirror

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"
	"k8s.io/apimachinery/pkg/types"

	"github.com/qingcang/qingcang/proto/eventkit"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
)

// Lanes are what campaign-status.v1 holds: what each campaign's lane and money say.
type Lanes struct {
	cluster   string
	broker    Broker
	watcher   Watcher
	log       *slog.Logger
	campaigns *Records[*campaignv1.Desired]
	ready     chan struct{}
	now       func() time.Time

	mu sync.RWMutex
	// ends are how far the lanes' logs were known to reach.
	ends     map[lane]int64
	kept     map[string]said // of campaigns that are not closed
	open     int             // campaigns of this and other clusters that sell
	onChange func(Change)
}

// said is a lane's newest word.
type said struct {
	status *campaignv1.Status
	// at is when it was heard, zero for what stood in the topic before this process listened.
	at time.Time
}

type lane struct {
	topic     string
	partition int
}

func laneOf(d *campaignv1.Desired) lane {
	return lane{d.GetLane().GetTopic(), int(d.GetLane().GetPartition())}
}

// Change tells that something new was said about a campaign of this cluster.
type Change struct {
	Campaign types.NamespacedName
	// Decisive is a change of more than the counts of stock and orders.
	Decisive bool
	// Parked is why what was said is not obeyed, empty if it is.
	Parked Cause
}

// run follows the topic until ctx ends. It begins when the campaigns have been read: what is said is
// held against them.
func (l *Lanes) run(ctx context.Context) error {
	select {
	case <-l.campaigns.ready:
	case <-ctx.Done():
		return nil
	}
	apply := func(r eventkit.Record) error { return l.apply(ctx, r) }
	err := l.broker.Follow(ctx, StatusTopic, apply, func() { close(l.ready) })
	if errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

// apply takes a record in, or parks it.
func (l *Lanes) apply(ctx context.Context, r eventkit.Record) error {
	uid := string(r.Key)
	defer l.watcher.Read(StatusTopic, r.Partition, r.Offset)
	if r.Value == nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.open -= isOpen(l.kept[uid].status)
		delete(l.kept, uid)
		return nil
	}
	if l.closed(uid) {
		return nil // nobody asks any more, and nothing that is said of it can do harm
	}
	s := &campaignv1.Status{}
	if err := proto.Unmarshal(r.Value, s); err != nil {
		l.park(r, Undecodable)
		return nil
	}
	cause, err := l.doubt(ctx, uid, s)
	if err != nil {
		return err
	}
	if cause != "" {
		l.park(r, cause)
		return nil
	}
	return l.observe(ctx, r, outline(s))
}

// outline takes the items out unless a refused change of a running sale needs them: how much the
// campaign has of each says whether the brand could now give what is missing.
func outline(s *campaignv1.Status) *campaignv1.Status {
	if s.GetUnits() == 0 || s.GetAllocation().GetState() != campaignv1.Allocation_STATE_REFUSED {
		s.Items = nil
	}
	return s
}

// observe keeps a lane's newest word and tells of it. A stale publisher in the order service may
// repeat older offsets; but a kept offset that the lane has not reached yet was never true, and what
// came with it gives way.
func (l *Lanes) observe(ctx context.Context, r eventkit.Record, s *campaignv1.Status) error {
	before := l.of(s.GetUid()).status
	if s.GetOffset() < before.GetOffset() {
		end, err := l.end(ctx, s.GetUid(), before.GetOffset())
		if err != nil {
			return err
		}
		if before.GetOffset() <= end {
			return nil
		}
		l.park(r, Future)
	}
	word := said{status: s}
	select {
	case <-l.ready:
		word.at = l.now()
	default:
	}
	if l.take(s.GetUid(), word) {
		l.tell(s.GetUid(), Change{Decisive: decisive(before, s)})
	}
	return nil
}

// take keeps a word unless its campaign has been closed meanwhile: whether forget comes before or after,
// nothing stays.
func (l *Lanes) take(uid string, word said) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed(uid) {
		return false
	}
	l.open += isOpen(word.status) - isOpen(l.kept[uid].status)
	l.kept[uid] = word
	return true
}

// closed tells whether the end of a campaign stands in campaigns.v1.
func (l *Lanes) closed(uid string) bool {
	d, _ := l.campaigns.Outline(uid)
	return d.GetClosed()
}

// forget drops what was said of a campaign that is closed, and of its lane, which may be its own.
func (l *Lanes) forget(d *campaignv1.Desired) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open -= isOpen(l.kept[d.GetUid()].status)
	delete(l.kept, d.GetUid())
	delete(l.ends, laneOf(d))
}

func (l *Lanes) of(uid string) said {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.kept[uid]
}

func (l *Lanes) park(r eventkit.Record, cause Cause) {
	uid := string(r.Key)
	l.watcher.Parked(StatusTopic, string(cause))
	l.log.Error("a record is parked", "topic", StatusTopic, "offset", r.Offset, "key", uid, "cause", cause)
	l.tell(uid, Change{Parked: cause})
}

// tell tells of a change of a campaign of this cluster.
func (l *Lanes) tell(uid string, c Change) {
	d, _ := l.campaigns.Outline(uid)
	l.mu.RLock()
	fn := l.onChange
	l.mu.RUnlock()
	if fn == nil || d.GetCluster() != l.cluster {
		return
	}
	c.Campaign = types.NamespacedName{Namespace: d.GetNamespace(), Name: d.GetName()}
	fn(c)
}

func isOpen(s *campaignv1.Status) int {
	if s.GetPhase() == campaignv1.Status_PHASE_OPEN {
		return 1
	}
	return 0
}

// decisive tells whether a status differs from the one before in what people wait for.
func decisive(before, after *campaignv1.Status) bool {
	return before.GetPhase() != after.GetPhase() ||
		before.GetGeneration() != after.GetGeneration() ||
		before.GetStopped() != after.GetStopped() ||
		!proto.Equal(before.GetAllocation(), after.GetAllocation())
}
