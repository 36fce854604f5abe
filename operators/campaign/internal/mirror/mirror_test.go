package mirror

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
	"k8s.io/apimachinery/pkg/types"

	"github.com/qingcang/qingcang/proto/eventkit"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
)

// record is one value of a key; a string is one that is not a message.
type record struct {
	key   string
	value any
}

// memory is a broker whose topics hold what they held at the start, and whose lanes reach offset 1,000.
type memory map[string][]record

const laneEnd = 1_000

func (b memory) Follow(_ context.Context, topic string, apply func(eventkit.Record) error, caughtUp func()) error {
	for offset, r := range b[topic] {
		if err := apply(eventkit.Record{Topic: topic, Offset: int64(offset), Key: []byte(r.key), Value: r.bytes()}); err != nil {
			return err
		}
	}
	caughtUp()
	return nil
}

func (r record) bytes() []byte {
	switch v := r.value.(type) {
	case string:
		return []byte(v)
	case proto.Message:
		value, _ := proto.Marshal(v)
		return value
	}
	return nil
}

func (b memory) Put(_ context.Context, topic, key string, m proto.Message) error {
	if b == nil {
		return errors.New("no leader")
	}
	b[topic] = append(b[topic], record{key, m})
	return nil
}

func (b memory) EndOffset(_ context.Context, topic string, _ int) (int64, error) {
	switch topic {
	case "lanes":
		return laneEnd, nil
	case "lane.gone":
		return 0, eventkit.ErrNoTopic
	}
	return int64(len(b[topic])), nil
}

// parked collects why records were parked.
type parked []string

func (*parked) Read(string, int, int64) {}

func (p *parked) Parked(topic, cause string) { *p = append(*p, topic+" "+cause) }

func read(t *testing.T, b memory) (*Mirror, *parked) {
	t.Helper()
	watcher := &parked{}
	m := New(b, "north", watcher, slog.New(slog.DiscardHandler))
	if err := m.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := m.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	return m, watcher
}

func coats(generation int64) *campaignv1.Desired {
	return &campaignv1.Desired{
		Uid: "coats", Cluster: "north", Namespace: "sales", Name: "autumn", Generation: generation,
		Items: []*campaignv1.Item{{Sku: "C1", Units: 10}},
		Lane:  &campaignv1.Lane{Topic: "lanes"},
	}
}

func TestTheNewestGenerationCounts(t *testing.T) {
	ended := coats(3)
	ended.Closed = true
	foreign := coats(1)
	foreign.Cluster = "south"
	outline := coats(1)
	outline.Cluster, outline.Items = foreign.GetCluster(), nil
	for name, tc := range map[string]struct {
		records []record
		want    *campaignv1.Desired
	}{
		"a newer generation replaces an older one":          {[]record{{"coats", coats(1)}, {"coats", coats(2)}}, coats(2)},
		"what was written last counts for whoever reads":    {[]record{{"coats", coats(2)}, {"coats", coats(1)}}, coats(1)},
		"an unreadable record is passed over":               {[]record{{"coats", coats(1)}, {"coats", "\xff"}}, coats(1)},
		"a record under another's key is passed over":       {[]record{{"shoes", coats(2)}, {"coats", coats(1)}}, coats(1)},
		"a deleted key is forgotten":                        {[]record{{"coats", coats(1)}, {"coats", nil}}, nil},
		"of an ended campaign its generation is kept":       {[]record{{"coats", ended}}, &campaignv1.Desired{Uid: "coats", Generation: 3, Closed: true}},
		"of another cluster's campaign the outline is kept": {[]record{{"coats", foreign}}, outline},
		"an ended campaign that is deleted is forgotten":    {[]record{{"coats", ended}, {"coats", nil}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			m, _ := read(t, memory{DesiredTopic: tc.records})
			if got, _ := m.Campaigns.Of("coats"); !proto.Equal(got, tc.want) {
				t.Errorf("it holds %v, want %v", got, tc.want)
			}
		})
	}
}

// at is a record as it is read.
func at(offset int64, d *campaignv1.Desired) eventkit.Record {
	value, _ := proto.Marshal(d)
	return eventkit.Record{Offset: offset, Key: []byte(d.GetUid()), Value: value}
}

func TestWhatIsPublishedIsSeenAtOnce(t *testing.T) {
	m, _ := read(t, memory{})
	if err := m.Campaigns.Publish(t.Context(), coats(2)); err != nil {
		t.Fatal(err)
	}
	if err := m.Campaigns.apply(at(0, coats(1))); err != nil { // was written before it
		t.Fatal(err)
	}
	if got, _ := m.Campaigns.Of("coats"); !proto.Equal(got, coats(2)) {
		t.Errorf("it holds %v, want what was published last", got)
	}
}

// Two operators may give one number to two records; who reads the topic takes the first.
func TestTheNewestIsWhatOtherReadersHave(t *testing.T) {
	m, _ := read(t, memory{})
	theirs, ours := coats(2), coats(2)
	ours.Suspended = true
	if err := m.Campaigns.Publish(t.Context(), ours); err != nil {
		t.Fatal(err)
	}
	hear(t, m, 0, theirs) // was written before ours
	hear(t, m, 1, ours)
	if got, _ := m.Campaigns.Of("coats"); !got.GetSuspended() {
		t.Errorf("it holds %v, want ours, with which the topic ends", got)
	}
	if newest, _ := m.Campaigns.Newest("coats"); newest.GetSuspended() {
		t.Errorf("the newest is %v, want theirs, which was there first", newest)
	}
}

func TestARecordThatAnotherReplacedWhichIsNotNewerIsToldOf(t *testing.T) {
	for name, generation := range map[string]int64{"an older one": 1, "one of the same number": 2} {
		t.Run(name, func(t *testing.T) {
			m, _ := read(t, memory{})
			var told []types.NamespacedName
			m.Campaigns.OnOlder(func(name types.NamespacedName) { told = append(told, name) })
			hear(t, m, 0, coats(2))
			hear(t, m, 1, coats(generation)) // an operator woke up and wrote what it had in hand
			got, _ := m.Campaigns.Of("coats")
			newest, _ := m.Campaigns.Newest("coats")
			if got.GetGeneration() != generation || newest.GetGeneration() != 2 || len(told) != 1 {
				t.Errorf("it holds generation %d, newest %d, and told %v, want what the topic ends with, 2, and that it is told of",
					got.GetGeneration(), newest.GetGeneration(), told)
			}
		})
	}
}

func TestWhatTheBrokerRefusedIsNotSeen(t *testing.T) {
	m := New(memory(nil), "north", &parked{}, slog.New(slog.DiscardHandler))
	if err := m.Campaigns.Publish(t.Context(), coats(1)); err == nil {
		t.Error("publishing without a broker gave no error")
	}
	if got, ok := m.Campaigns.Of("coats"); ok {
		t.Errorf("it holds %v, want nothing", got)
	}
	if got, _ := m.Campaigns.Attempted("coats"); !proto.Equal(got, coats(1)) {
		t.Errorf("attempted is %v, want what the broker may have taken", got)
	}
}

func TestGarbageIsParked(t *testing.T) {
	good := &campaignv1.Status{Uid: "coats", Generation: 1, Phase: campaignv1.Status_PHASE_OPEN, Units: 10, LeftUnits: 10, Offset: 900}
	with := func(change func(*campaignv1.Status)) *campaignv1.Status {
		s := proto.CloneOf(good)
		change(s)
		return s
	}
	year := &timestamppb.Timestamp{Seconds: 1 << 60}
	for name, tc := range map[string]struct {
		value any
		cause Cause
	}{
		"bytes that are no message":             {"\xff", Undecodable},
		"another's status under the key":        {with(func(s *campaignv1.Status) { s.Uid = "shoes" }), Misplaced},
		"a phase that does not exist":           {with(func(s *campaignv1.Status) { s.Phase = 9 }), Impossible},
		"no phase":                              {with(func(s *campaignv1.Status) { s.Phase = 0 }), Impossible},
		"an answer that does not exist":         {with(func(s *campaignv1.Status) { s.Allocation = &campaignv1.Allocation{Generation: 1, State: 9} }), Impossible},
		"stock under zero":                      {with(func(s *campaignv1.Status) { s.SoldUnits = -1 }), Impossible},
		"more left than there is":               {with(func(s *campaignv1.Status) { s.LeftUnits = 11 }), Impossible},
		"orders under zero":                     {with(func(s *campaignv1.Status) { s.PaidOrders = -1 }), Impossible},
		"a time that no clock shows":            {with(func(s *campaignv1.Status) { s.OpenedAt = year }), Impossible},
		"an offset far in the future":           {with(func(s *campaignv1.Status) { s.Offset = 1 << 40 }), Future},
		"a generation that was never published": {with(func(s *campaignv1.Status) { s.Generation = 7 }), Unknown},
		"an answer to what was never asked":     {with(func(s *campaignv1.Status) { s.Allocation = &campaignv1.Allocation{Generation: 7} }), Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			before := with(func(s *campaignv1.Status) { s.Phase = campaignv1.Status_PHASE_WAITING; s.Offset = 100 })
			m, watcher := read(t, memory{
				DesiredTopic: {{"coats", coats(1)}},
				StatusTopic:  {{"coats", before}, {"coats", tc.value}},
			})
			if got, _ := m.Lane("coats"); !proto.Equal(got, before) {
				t.Errorf("it holds %v, want what was said before", got)
			}
			if want := StatusTopic + " " + string(tc.cause); len(*watcher) != 1 || (*watcher)[0] != want {
				t.Errorf("parked %v, want %s", *watcher, want)
			}
		})
	}
	t.Run("a campaign that nobody published", func(t *testing.T) {
		m, watcher := read(t, memory{StatusTopic: {{"coats", good}}})
		if got, _ := m.Lane("coats"); got != nil || len(*watcher) != 1 {
			t.Errorf("it holds %v and parked %v, want nothing and one", got, *watcher)
		}
	})
	t.Run("an offset that was not doubted gives way to what is true", func(t *testing.T) {
		ahead := with(func(s *campaignv1.Status) { s.Offset = laneEnd + 1 })
		m, watcher := read(t, memory{
			DesiredTopic: {{"coats", coats(1)}},
			StatusTopic:  {{"coats", ahead}, {"coats", good}},
		})
		if got, _ := m.Lane("coats"); !proto.Equal(got, good) || len(*watcher) != 1 {
			t.Errorf("it holds %v and parked %v, want the second and one", got, *watcher)
		}
	})
}

// Else whoever takes the topic of a sale away that was settled long ago would stop the operator.
func TestALaneWhoseTopicIsGoneIsBelieved(t *testing.T) {
	d := coats(1)
	d.Lane.Topic = "lane.gone"
	settled := &campaignv1.Status{Uid: "coats", Generation: 1, Phase: campaignv1.Status_PHASE_SETTLED, Offset: 1_000_000}
	m, watcher := read(t, memory{DesiredTopic: {{"coats", d}}, StatusTopic: {{"coats", settled}}})
	if got, _ := m.Lane("coats"); !proto.Equal(got, settled) || len(*watcher) != 0 {
		t.Errorf("it holds %v and parked %v, want what the lane said last and nothing", got, *watcher)
	}
}

func TestChangesAreTold(t *testing.T) {
	before := &campaignv1.Status{Uid: "coats", Generation: 1, Phase: campaignv1.Status_PHASE_OPEN, Offset: 10}
	doubted := Change{Campaign: types.NamespacedName{Namespace: "sales", Name: "autumn"}, Parked: Impossible}
	with := func(change func(*campaignv1.Status)) *campaignv1.Status {
		s := proto.CloneOf(before)
		change(s)
		return s
	}
	told := Change{Campaign: types.NamespacedName{Namespace: "sales", Name: "autumn"}}
	decisive := told
	decisive.Decisive = true
	for name, tc := range map[string]struct {
		status *campaignv1.Status
		want   []Change
	}{
		"a sold unit is told":              {with(func(s *campaignv1.Status) { s.SoldUnits, s.Offset = 1, 11 }), []Change{told}},
		"a new phase is decisive":          {with(func(s *campaignv1.Status) { s.Phase = campaignv1.Status_PHASE_DRAINING }), []Change{decisive}},
		"a lane that stops is decisive":    {with(func(s *campaignv1.Status) { s.Stopped = "gap" }), []Change{decisive}},
		"an allocation is decisive":        {with(func(s *campaignv1.Status) { s.Allocation = &campaignv1.Allocation{Generation: 1} }), []Change{decisive}},
		"an older offset is not told":      {with(func(s *campaignv1.Status) { s.Phase, s.Offset = campaignv1.Status_PHASE_WAITING, 9 }), nil},
		"what is parked is told":           {with(func(s *campaignv1.Status) { s.SoldUnits = -1 }), []Change{doubted}},
		"an unknown campaign is not told":  {&campaignv1.Status{Uid: "shoes", Phase: campaignv1.Status_PHASE_OPEN}, nil},
		"another cluster's is not told to": {&campaignv1.Status{Uid: "foreign", Phase: campaignv1.Status_PHASE_OPEN}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			foreign := &campaignv1.Desired{Uid: "foreign", Cluster: "south", Namespace: "sales", Name: "autumn"}
			m, _ := read(t, memory{
				DesiredTopic: {{"coats", coats(1)}, {"foreign", foreign}},
				StatusTopic:  {{"coats", before}},
			})
			var got []Change
			m.OnChange(func(c Change) { got = append(got, c) })
			if err := m.lanes.apply(t.Context(), eventkit.Record{Key: []byte(tc.status.GetUid()), Value: mustMarshal(t, tc.status)}); err != nil {
				t.Fatal(err)
			}
			if len(got) != len(tc.want) || len(got) == 1 && got[0] != tc.want[0] {
				t.Errorf("told %+v, want %+v", got, tc.want)
			}
		})
	}
}

func mustMarshal(t *testing.T, m proto.Message) []byte {
	t.Helper()
	value, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return value
}
