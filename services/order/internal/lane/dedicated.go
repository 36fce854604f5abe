package lane

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/qingcang/qingcang/proto/eventkit"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/services/internal/ids"
)

const (
	// mostDedicated bounds the dedicated lanes that a process runs at once: each is a member of a consumer
	// group of its own, with a connection and two heartbeats a second.
	mostDedicated = 256
	// loadAtOnce bounds those that are loaded at once, so that a start is not a burst of look-ups.
	loadAtOnce = 8
	// loadWithin is how long somebody who has something to tell waits for a lane that is being loaded.
	loadWithin = 3 * time.Second
	// topicPause is between two looks for a topic that is not there; each takes 5 s itself.
	topicPause = 5 * time.Second
	// giveUpAfter is how long a topic that is not there is believed to come: the operator makes it before it
	// publishes the campaign.
	giveUpAfter = time.Minute
	// forsakenAfter is how long one is waited for whose campaign the table does not name: longer than by who has stock for it.
	forsakenAfter = 2 * giveUpAfter
	// restLook is how often a lane whose campaign has left it asks whether it may rest.
	restLook = 5 * time.Second
	// awakeFor is how long a lane that was woken up waits for what it was woken for: who had money to tell comes
	// again within a minute.
	awakeFor = 75 * time.Second
	// admitEvery bounds the wait for a change of the table: what it names no more may have come to rest.
	admitEvery = time.Minute
)

// DedicatedSnapshots keeps the snapshots of dedicated lanes, those of each apart.
type DedicatedSnapshots interface {
	Of(campaignUID string) Snapshots
	// Forget deletes those of a campaign that is over and gone from the table.
	Forget(ctx context.Context, campaignUID string) error
}

// dedicated is the dedicated lanes that a process knows. Each runs from when the table names it, or money comes for
// it, until it rests.
type dedicated struct {
	cfg Config

	turns chan struct{} // has room for loadAtOnce
	rooms chan struct{} // has room for mostDedicated

	mu    sync.Mutex
	lanes map[string]*Lane // by campaign
	// alive are those that do not rest. Of the others there may be thousands.
	alive   map[*Lane]bool
	refused map[string]string
	start   func(*Lane) // nil while nothing can be started
	// surveyed says that the lanes that the table named at the start are known; those alone are
	// waited for before a replica is ready, until they rest.
	surveyed bool
	first    map[*Lane]bool
}

func newDedicated(cfg Config) *dedicated {
	return &dedicated{
		cfg: cfg, lanes: map[string]*Lane{}, alive: map[*Lane]bool{}, refused: map[string]string{},
		turns: make(chan struct{}, loadAtOnce), rooms: make(chan struct{}, mostDedicated),
	}
}

// newDedicatedLane returns the lane of a campaign. Its events share a partition with other lanes'.
func newDedicatedLane(uid string, cfg Config) *Lane {
	cfg.Snapshots = cfg.Dedicated.Of(uid)
	l := newLane(DedicatedTopic(uid), 0, cfg)
	topic, _ := eventkit.TopicNamed(EventTopic)
	l.campaign, l.eventShard = uid, ids.Shard(uid, topic.Partitions)
	return l
}

// run runs the lanes that the table names until ctx ends.
func (s *dedicated) run(ctx context.Context) error {
	if !s.cfg.Campaigns.await(ctx) {
		return nil
	}
	s.sayWhatThereIs(ctx)
	group, ctx := errgroup.WithContext(ctx)
	s.canStart(func(l *Lane) { group.Go(func() error { return s.live(ctx, l) }) })
	group.Go(func() error {
		defer s.canStart(nil) // or a lane might be started while the group ends
		for ctx.Err() == nil {
			desired, changed := s.cfg.Campaigns.elsewhere()
			for _, l := range s.admit(ctx, desired) {
				s.forget(ctx, l)
			}
			waitAtMost(ctx, changed, admitEvery)
		}
		return nil
	})
	return group.Wait()
}

// sayWhatThereIs tells who started a replica for one lane if there is nothing to run: it is ready all the same, for its
// campaign may be published later.
func (s *dedicated) sayWhatThereIs(ctx context.Context) {
	if s.cfg.Only == "" {
		return
	}
	d, named := s.cfg.Campaigns.Desired(s.cfg.Only)
	switch of, own := dedicatedTo(d.GetLane()); {
	case !named:
		s.cfg.Log.InfoContext(ctx, "the campaign of this replica is not published yet, or is gone", "campaign", s.cfg.Only)
	case !own || of != s.cfg.Only:
		s.cfg.Log.ErrorContext(ctx, "the campaign of this replica has another lane: nothing is served here",
			"campaign", s.cfg.Only, "lane", fmt.Sprintf("%s/%d", d.GetLane().GetTopic(), d.GetLane().GetPartition()))
	}
}

func (s *dedicated) canStart(start func(*Lane)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.start = start
}

// admit starts what the table names and is not known yet, and returns the lanes at rest that it names no more.
func (s *dedicated) admit(ctx context.Context, desired []*campaignv1.Desired) (gone []*Lane) {
	s.mu.Lock()
	defer s.mu.Unlock()
	named := make(map[string]bool, len(desired))
	for _, d := range desired {
		uid := d.GetUid()
		if s.cfg.Only != "" && uid != s.cfg.Only {
			continue
		}
		named[uid] = true
		if !mayRunOn(d.GetLane(), uid) {
			s.refuse(ctx, d)
			continue
		}
		delete(s.refused, uid)
		if l, known := s.lanes[uid]; !known {
			s.begin(uid)
		} else if l.Over() {
			l.lookWhatArrived(uid) // nobody follows the table for it
		}
	}
	if !s.surveyed {
		s.surveyed, s.first = true, maps.Clone(s.alive)
	}
	for uid := range s.refused {
		if !named[uid] {
			delete(s.refused, uid)
		}
	}
	for uid, l := range s.lanes {
		if !named[uid] && l.Rests() {
			gone = append(gone, l)
		}
	}
	return gone
}

// refuse says, once, that a campaign is not served because its lane cannot be its own. The lock is held.
func (s *dedicated) refuse(ctx context.Context, d *campaignv1.Desired) {
	name := fmt.Sprintf("%s/%d", d.GetLane().GetTopic(), d.GetLane().GetPartition())
	if s.refused[d.GetUid()] == name {
		return
	}
	s.refused[d.GetUid()] = name
	s.cfg.Log.ErrorContext(ctx, "campaign refused: its lane is neither a shared one nor its own",
		"campaign", d.GetUid(), "lane", name, "its own", DedicatedTopic(d.GetUid())+"/0")
}

// begin starts a lane. The lock is held.
func (s *dedicated) begin(uid string) *Lane {
	l := newDedicatedLane(uid, s.cfg)
	l.turns = s.turns
	s.lanes[uid] = l
	s.revive(l)
	return l
}

// revive starts a life of a lane. The lock is held.
func (s *dedicated) revive(l *Lane) {
	s.alive[l] = true
	s.start(l)
}

// forget drops a lane at rest, with its snapshots.
func (s *dedicated) forget(ctx context.Context, l *Lane) {
	if err := s.cfg.Dedicated.Forget(ctx, l.campaign); err != nil {
		l.log.WarnContext(ctx, "the snapshots of a lane that is gone are deleted later", "err", err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.Rests() { // or somebody has woken it up
		delete(s.lanes, l.campaign)
	}
}

// live is one life of a lane: until it rests or ctx ends. Only when all of it is over another may begin.
func (s *dedicated) live(ctx context.Context, l *Lane) error {
	rests, err := s.work(ctx, l)
	s.end(l, rests)
	return err
}

// end ends a life of a lane; nobody wakes it up in the midst of that.
func (s *dedicated) end(l *Lane, rests bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	forsaken := l.forsaken()
	if rests || forsaken {
		delete(s.alive, l)
		delete(s.first, l)
	}
	if forsaken {
		delete(s.lanes, l.campaign)
	}
	l.leave(rests)
}

// work runs a lane until it may rest, which it reports, or is forsaken, or ctx ends.
func (s *dedicated) work(ctx context.Context, l *Lane) (rests bool, err error) {
	l.learnTable()
	if rests, ok := l.load(ctx); rests || !ok || !s.room(ctx, l) {
		return rests, nil
	}
	defer func() { <-s.rooms }()
	l.reaches(running)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return l.follow(ctx) })
	group.Go(func() error {
		if rests = l.awaitRest(ctx); rests {
			cancel()
		}
		return nil
	})
	group.Go(func() error {
		role := eventkit.Role{Own: func(ctx context.Context, a eventkit.Assignment) error { return l.own(ctx, a, s.cfg) }}
		return s.cfg.Conn.Consume(ctx, eventkit.Group{
			ID: DedicatedGroup(l.campaign), Topics: map[string]eventkit.Role{l.topic: role}, Log: l.log,
		})
	})
	err = group.Wait()
	return rests, err
}

// room waits until fewer than mostDedicated lanes run; false when ctx ends. Meanwhile what others tell the lane comes
// into its log: see Lanes.Allocate.
func (s *dedicated) room(ctx context.Context, l *Lane) bool {
	select {
	case s.rooms <- struct{}{}:
		return true
	default:
		l.reaches(queued)
		l.log.ErrorContext(ctx, "lane waits: this process runs as many dedicated lanes as it may", "most", mostDedicated)
	}
	waits, stop := context.WithCancel(ctx)
	var appending sync.WaitGroup
	appending.Go(func() { l.append(waits) })
	defer appending.Wait()
	defer stop()
	select {
	case s.rooms <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// of returns the lane of a name, run here or at rest.
func (s *dedicated) of(name *campaignv1.Lane) (*Lane, error) {
	uid, ok := dedicatedTo(name)
	if !ok {
		return nil, errNoLane
	}
	s.mu.Lock()
	l, known := s.lanes[uid]
	s.mu.Unlock()
	if known {
		return l, nil
	}
	if _, named := s.cfg.Campaigns.Desired(uid); named && s.serves(uid) {
		return nil, errStarting // the table has just said so
	}
	return nil, errNoLane
}

// known returns the lane of a campaign that the table may have forgotten.
func (s *dedicated) known(uid string) (*Lane, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, ok := s.lanes[uid]
	return l, ok
}

// serves reports whether a campaign's lane may be run here.
func (s *dedicated) serves(uid string) bool { return s.cfg.Only == "" || s.cfg.Only == uid }

// awake returns a campaign's own lane and runs it if it rests: late money and late stock have an answer, too.
func (s *dedicated) awake(uid string) (*Lane, error) {
	if !s.serves(uid) {
		return nil, errNoLane
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.start == nil {
		return nil, errStarting
	}
	l, known := s.lanes[uid]
	if !known {
		return s.begin(uid), nil
	}
	if l.wakeUp() {
		s.revive(l)
	}
	return l, nil
}

// all returns the lanes that are run here.
func (s *dedicated) all() []*Lane {
	s.mu.Lock()
	defer s.mu.Unlock()
	lanes := make([]*Lane, 0, len(s.alive))
	for l := range s.alive {
		if l.stageNow() == running {
			lanes = append(lanes, l)
		}
	}
	return lanes
}

// unsure reports whether a lane may have orders that this process does not know yet.
func (s *dedicated) unsure() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for l := range s.alive {
		if at := l.stageNow(); at == loading || at == queued {
			return true
		}
	}
	return !s.surveyed
}

// counts are the lanes by stage, and the campaigns that are refused.
func (s *dedicated) counts() (stages map[stage]int64, refused int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stages = map[stage]int64{resting: int64(len(s.lanes) - len(s.alive))}
	for l := range s.alive {
		stages[l.stageNow()]++
	}
	return stages, int64(len(s.refused))
}

// caughtUp returns an error for each lane that was there at the start and is not read yet.
func (s *dedicated) caughtUp() []error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.surveyed {
		return []error{fmt.Errorf("the lanes that %s names are not known yet", CampaignTopic)}
	}
	var errs []error
	for l := range s.first {
		errs = append(errs, l.caughtUp())
	}
	return errs
}
