package mirror

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"google.golang.org/protobuf/proto"
	"k8s.io/apimachinery/pkg/types"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
)

// record is one value of a key; a string is one that is not a message.
type record struct {
	key   string
	value any
}

// memory is a broker whose topics hold what they held at the start.
type memory map[string][]record

func (b memory) Table(_ context.Context, topic string, apply func(string, []byte) error, caughtUp func()) error {
	for _, r := range b[topic] {
		var value []byte
		switch v := r.value.(type) {
		case string:
			value = []byte(v)
		case proto.Message:
			value, _ = proto.Marshal(v)
		}
		if err := apply(r.key, value); err != nil {
			return err
		}
	}
	caughtUp()
	return nil
}

func (b memory) Put(_ context.Context, topic, key string, m proto.Message) error {
	if b == nil {
		return errors.New("no leader")
	}
	b[topic] = append(b[topic], record{key, m})
	return nil
}

func read(t *testing.T, b memory) *Mirror {
	t.Helper()
	m := New(b, "north", slog.New(slog.DiscardHandler))
	if err := m.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := m.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	return m
}

func coats(generation int64) *campaignv1.Desired {
	return &campaignv1.Desired{
		Uid: "coats", Cluster: "north", Namespace: "sales", Name: "autumn", Generation: generation,
		Items: []*campaignv1.Item{{Sku: "C1", Units: 10}},
	}
}

func TestTheNewestGenerationCounts(t *testing.T) {
	ended := coats(3)
	ended.Closed = true
	foreign := coats(1)
	foreign.Cluster = "south"
	outline := func(d *campaignv1.Desired) *campaignv1.Desired {
		d = proto.CloneOf(d)
		d.Items = nil
		return d
	}
	for name, tc := range map[string]struct {
		records []record
		want    *campaignv1.Desired
	}{
		"a newer generation replaces an older one":          {[]record{{"coats", coats(1)}, {"coats", coats(2)}}, coats(2)},
		"an older generation does not come back":            {[]record{{"coats", coats(2)}, {"coats", coats(1)}}, coats(2)},
		"an unreadable record is passed over":               {[]record{{"coats", coats(1)}, {"coats", "\xff"}}, coats(1)},
		"a record under another's key is passed over":       {[]record{{"shoes", coats(2)}, {"coats", coats(1)}}, coats(1)},
		"a deleted key is forgotten":                        {[]record{{"coats", coats(1)}, {"coats", nil}}, nil},
		"of an ended campaign the outline is kept":          {[]record{{"coats", ended}}, outline(ended)},
		"of another cluster's campaign the outline is kept": {[]record{{"coats", foreign}}, outline(foreign)},
	} {
		t.Run(name, func(t *testing.T) {
			m := read(t, memory{DesiredTopic: tc.records})
			if got, _ := m.Of("coats"); !proto.Equal(got, tc.want) {
				t.Errorf("it holds %v, want %v", got, tc.want)
			}
		})
	}
}

func TestWhatIsPublishedIsSeenAtOnce(t *testing.T) {
	m := read(t, memory{})
	if err := m.Publish(t.Context(), coats(2)); err != nil {
		t.Fatal(err)
	}
	if err := m.applyDesired("coats", mustMarshal(t, coats(1))); err != nil {
		t.Fatal(err)
	}
	if got, _ := m.Of("coats"); !proto.Equal(got, coats(2)) {
		t.Errorf("it holds %v, want what was published last", got)
	}
}

func TestWhatTheBrokerRefusedIsNotSeen(t *testing.T) {
	m := New(memory(nil), "north", slog.New(slog.DiscardHandler))
	if err := m.Publish(t.Context(), coats(1)); err == nil {
		t.Error("publishing without a broker gave no error")
	}
	if got, _ := m.Of("coats"); got != nil {
		t.Errorf("it holds %v, want nothing", got)
	}
}

func TestChangesAreTold(t *testing.T) {
	before := &campaignv1.Status{Uid: "coats", Generation: 1, Phase: campaignv1.Status_PHASE_OPEN, Offset: 10}
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
		"an unknown campaign is not told":  {&campaignv1.Status{Uid: "shoes", Phase: campaignv1.Status_PHASE_OPEN}, nil},
		"another cluster's is not told to": {&campaignv1.Status{Uid: "foreign", Phase: campaignv1.Status_PHASE_OPEN}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			foreign := &campaignv1.Desired{Uid: "foreign", Cluster: "south", Namespace: "sales", Name: "autumn"}
			m := read(t, memory{
				DesiredTopic: {{"coats", coats(1)}, {"foreign", foreign}},
				StatusTopic:  {{"coats", before}},
			})
			var got []Change
			m.OnChange(func(c Change) { got = append(got, c) })
			if err := m.applyStatus(tc.status.GetUid(), mustMarshal(t, tc.status)); err != nil {
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
