package ledger

import (
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
)

// retired is what stays of a settled campaign.
type retired struct {
	brandID string
	status  *campaignv1.Status // without items
	// The newest generation that the pool answered and the newest of its top-ups:
	// the pool counts both up, so what is not above them came before.
	answered, topUps int64
}

var phaseNames = map[phase]campaignv1.Status_Phase{
	waiting: campaignv1.Status_PHASE_WAITING,
	open:    campaignv1.Status_PHASE_OPEN,
	closed:  campaignv1.Status_PHASE_DRAINING,
	drained: campaignv1.Status_PHASE_DRAINED,
}

// Status returns what the lane knows of a campaign: its phase and its stock,
// not its money. A retired campaign is settled and has totals only. It shares
// nothing with the ledger that changes.
func (l *Ledger) Status(uid string) (*campaignv1.Status, bool) {
	if r, ok := l.retired[uid]; ok {
		return r.status, true
	}
	c, ok := l.campaigns[uid]
	if !ok {
		return nil, false
	}
	s := c.status()
	for _, i := range c.shelf.sorted {
		stock := c.shelf.stock[i]
		s.Items = append(s.Items, &campaignv1.ItemStatus{Sku: c.shelf.sku(i), Units: stock.units, HeldUnits: stock.held, SoldUnits: stock.sold})
	}
	return s, true
}

// Version tells whether Status has changed: it says the same as long as its version
// is the same, in one process. It is 0 for a campaign that the lane does not know.
func (l *Ledger) Version(uid string) int64 {
	if _, ok := l.retired[uid]; ok {
		return -1
	}
	if c, ok := l.campaigns[uid]; ok {
		return c.touched + 1
	}
	return 0
}

// Retirees returns the uids of the campaigns that have left the ledger, sorted.
func (l *Ledger) Retirees() []string { return slices.Sorted(maps.Keys(l.retired)) }

// Units returns what became of the units of the campaigns that have not left the ledger.
func (l *Ledger) Units() (free, held, sold int64) {
	for _, c := range l.campaigns {
		for _, stock := range c.shelf.stock {
			free += stock.units - stock.held - stock.sold
			held += stock.held
			sold += stock.sold
		}
	}
	return free, held, sold
}

func (c *campaign) status() *campaignv1.Status {
	s := &campaignv1.Status{
		Uid: c.uid, Generation: c.newest.GetGeneration(), Phase: phaseNames[c.phase], Allocation: c.allocation,
		OpenedAt: stamp(c.openedAt), ClosedAt: stamp(c.closedAt),
	}
	for _, stock := range c.shelf.stock {
		s.Units += stock.units
		s.HeldUnits += stock.held
		s.SoldUnits += stock.sold
	}
	s.LeftUnits = s.Units - s.HeldUnits - s.SoldUnits
	return s
}

func (c *campaign) retire() *retired {
	s := c.status()
	s.Phase = campaignv1.Status_PHASE_SETTLED
	return &retired{brandID: c.brandID, status: s, answered: c.allocation.GetGeneration(), topUps: c.topUps}
}

func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
