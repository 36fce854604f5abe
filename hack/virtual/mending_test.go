package virtual

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/order/internal/lane"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
	"github.com/qingcang/qingcang/services/order/virtual/internal/network"
	"github.com/qingcang/qingcang/services/order/virtual/internal/world"
)

// TestBytesThatAreNoEntryAreSkippedAlike: the batch is whole, what stands in it means nothing.
func TestBytesThatAreNoEntryAreSkippedAlike(t *testing.T) {
	inWorld(t, 2, func(w *world.World, replicas []*world.Replica) {
		w.Open(world.Sale("sale", 100, "a"), replicas[0])
		for i, bytes := range [][]byte{{}, {1}, {1, 0xff, 0xff}, append([]byte{1}, make([]byte, 4_000)...)} {
			appends(w, bytes)
			if a := w.Insist(world.One(fmt.Sprintf("buyer-%d", i), "sale", w.Key()), replicas[i%2]); a.Status != http.StatusCreated {
				w.Errorf("behind it: %d %s", a.Status, a.Text)
			}
		}
		third := w.Start()
		sameDecisions(w, append(replicas, third)...)
		for _, r := range append(replicas, third) {
			l := r.Lanes.All()[world.Partition]
			if got := l.Skipped(); got != 4 || l.Stopped() != "" {
				w.Errorf("%s skipped %d entries, want 4, and stands still because %q", r.Host.Name, got, l.Stopped())
			}
			if w.Logs.Count("ERROR", r.Host.Name, "lane entry skipped") != 4 {
				w.Errorf("%s does not say that it skipped them", r.Host.Name)
			}
		}
	})
}

// appends puts entries into the lane's log, as one batch, and returns the offset of the first.
func appends(w *world.World, entries ...[]byte) (offset int64) {
	w.Helper()
	done, err := w.Conn.Append(w.Context(), lane.SharedTopic, world.Partition, entries)
	if err != nil {
		w.Fatal(err)
	}
	return done.BaseOffset
}

// encoded is an entry as it stands in the log.
func encoded(w *world.World, rules uint16, command record.Command) []byte {
	w.Helper()
	entry := record.Entry{Rules: rules, Command: command}
	value, err := entry.Append(nil)
	if err != nil {
		w.Fatal(err)
	}
	return value
}

// cursed begins the ids of orders whose batch comes to harm.
const cursed = "cursed-"

// wishes are entries that ask for cursed orders.
func wishes(w *world.World) (entries [][]byte) {
	w.Helper()
	for _, id := range []string{cursed + "1", cursed + "2"} {
		entries = append(entries, encoded(w, ledger.FirstRules, &record.Place{
			OrderID: id, CampaignUID: "sale", BuyerID: "cai", AddressID: "addr", Lines: []record.Units{{SKU: "a", Units: 1}},
		}))
	}
	return entries
}

// damage is something that a lane must not guess about.
type damage struct {
	// entries come as one batch.
	entries func(w *world.World) [][]byte
	// rule is what happens to the batch on its way, or to whatever is read; nil if they are the damage.
	rule network.Rule
	// passes is a rule that is taken away before an offset is skipped.
	passes bool
}

// TestALaneThatCannotGoOnStopsAloneAndLoudly, until the operator skips what is damaged, and no more.
func TestALaneThatCannotGoOnStopsAloneAndLoudly(t *testing.T) {
	for name, d := range map[string]damage{
		"a wrong checksum":   {entries: wishes, rule: network.Corrupt(cursed, lane.SharedTopic, world.Partition)},
		"a gap":              {entries: wishes, rule: network.Drop(cursed, lane.SharedTopic, world.Partition)},
		"a log that was cut": {entries: wishes, rule: network.Truncate(lane.SharedTopic, world.Partition), passes: true},
		"rules that nobody knows": {entries: func(w *world.World) [][]byte {
			return [][]byte{encoded(w, 99, &record.Tick{})}
		}},
		"a format that nobody knows": {entries: func(*world.World) [][]byte { return [][]byte{{255, 1, 2, 3}} }},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, 2, func(w *world.World, replicas []*world.Replica) { d.isMended(w, replicas) })
		})
	}
}

func (d damage) isMended(w *world.World, replicas []*world.Replica) {
	w.Open(world.Sale("sale", 100, "a"), replicas[0])
	elsewhere := world.Sale("elsewhere", 100, "a")
	elsewhere.Lane.Partition = world.Partition - 1
	w.Open(elsewhere, replicas[1])
	before := w.Insist(world.One("ann", "sale", w.Key()), replicas...)

	if d.rule != nil {
		w.Network.Rules(d.rule)
	}
	entries := d.entries(w)
	offset := appends(w, entries...)
	lost := world.One("bob", "sale", w.Key())
	w.Together(3, func(i int) {
		replicas[i%2].Place(world.One(fmt.Sprintf("lost-%d", i), "sale", fmt.Sprintf("lost-key-%d", i)))
	})
	stopped := func() error {
		for _, r := range replicas {
			if r.Lanes.All()[world.Partition].Stopped() == "" {
				return errors.New("the lane runs")
			}
		}
		return nil
	}
	w.Eventually(stopped)

	for i, r := range replicas {
		if a := r.Place(lost); a.Status != http.StatusServiceUnavailable || a.Code != "lane_stopped" || a.RetryAfter == "" {
			w.Errorf("the lane that stands still answers %d %s", a.Status, a.Text)
		}
		if a := w.Insist(world.One(fmt.Sprintf("other-%d", i), "elsewhere", w.Key()), r); a.Status != http.StatusCreated {
			w.Errorf("another lane answers %d %s", a.Status, a.Text)
		}
	}
	w.Pass(2 * time.Minute)
	for _, r := range replicas {
		for _, loud := range []string{"lane stopped", "lane stands still"} {
			if w.Logs.Count("ERROR", r.Host.Name, loud) == 0 {
				w.Errorf("%s does not say %q", r.Host.Name, loud)
			}
		}
	}
	w.Eventually(func() error {
		if s := w.Status("sale"); s.GetStopped() == "" {
			return errors.New("the campaign's status does not say that its lane stands still")
		}
		return nil
	})

	if d.passes {
		w.Network.Rules()
	}
	// One after the other, as the status names them.
	skip := world.Sale("sale", 100, "a")
	for i, r := range replicas {
		w.Eventually(func() error {
			if next := r.Next("sale"); stopped() == nil && !slices.Contains(skip.Lane.SkipOffsets, next) {
				skip.Generation++
				skip.Lane.SkipOffsets = append(skip.Lane.SkipOffsets, next)
				w.Want(skip)
			}
			if a := r.Place(lost); a.Status != http.StatusCreated {
				return fmt.Errorf("behind the skipped entry, replica %d: %d %s", i+1, a.Status, a.Text)
			}
			return nil
		})
		if a := r.Show("ann", before.Order.ID); a.Order.State != "held" {
			w.Errorf("what came before: %d %s", a.Status, a.Text)
		}
	}
	skipped := skip.Lane.SkipOffsets
	broken := skipped[:1] // where the log was cut, the lane stands where it had read to
	if !d.passes {
		broken = nil
		for i := range entries {
			broken = append(broken, offset+int64(i))
		}
	}
	if !slices.Equal(skipped, broken) {
		w.Errorf("the lane went on when %v were skipped, want %v", skipped, broken)
	}
	third := w.Start()
	sameDecisions(w, append(replicas, third)...)
	w.Eventually(func() error {
		if s := w.Status("sale"); s.GetStopped() != "" || s.GetPhase() != campaignv1.Status_PHASE_OPEN {
			return fmt.Errorf("the campaign's status: %v", s)
		}
		return nil
	})
}
