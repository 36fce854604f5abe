package ledger

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	lanev1 "github.com/qingcang/qingcang/proto/gen/lane/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
)

// phase is how far a campaign is; it only goes forward.
type phase int

const (
	waiting phase = iota
	open
	closed  // sells nothing new; holds may still be paid
	drained // no hold is left, and what was free went back
)

// maxUnanswered bounds the desired generations of one campaign that wait for the
// pool's answer; the oldest goes first. A lane hears only the newest anyway when
// they come fast.
const maxUnanswered = 8

// campaign is one sale in the lane.
//
// Two generations count. Good is the newest one for which the pool gave stock:
// prices, units, limits and times come from it. Newest is the last that was
// wanted; what it takes away (suspended, closed, a later start, an earlier end)
// counts at once, because stopping needs nobody's stock.
type campaign struct {
	uid     string
	brandID string

	newest     *campaignv1.Desired
	good       *campaignv1.Desired
	unanswered []*campaignv1.Desired       // not above newest, ascending
	items      map[string]*campaignv1.Item // of good, by SKU
	answers    map[int64]bool              // by generation: whether stock was given
	given      int64                       // the newest generation that was given stock
	topUps     int64                       // of the pool, that came
	allocation *campaignv1.Allocation      // the newest answer

	stock  map[string]*stock
	buyers map[string]int64 // units held and sold, by buyer
	held   int              // orders
	strays map[string]struct{}

	phase    phase
	openedAt time.Time
	closedAt time.Time
}

// stock is one SKU in a campaign. Units are what the pool gave less what was let go.
type stock struct{ units, held, sold int64 }

// free is what can be held now; a SKU that was never given has none.
func (s *stock) free() int64 {
	if s == nil {
		return 0
	}
	return s.units - s.held - s.sold
}

func (l *Ledger) campaign(uid string) *campaign {
	c, ok := l.campaigns[uid]
	if !ok {
		c = &campaign{
			uid: uid, items: map[string]*campaignv1.Item{}, answers: map[int64]bool{},
			stock: map[string]*stock{}, buyers: map[string]int64{}, strays: map[string]struct{}{},
		}
		l.campaigns[uid] = c
		at, _ := slices.BinarySearch(l.uids, uid)
		l.uids = slices.Insert(l.uids, at, uid)
	}
	return c
}

// want takes a newer desired state in.
func (l *Ledger) want(w *lanev1.Want) error {
	d := w.GetDesired()
	if d.GetUid() == "" || d.GetGeneration() <= 0 {
		return fmt.Errorf("%w: a desired state without uid or generation", ErrMalformed)
	}
	if l.Retired(d.GetUid()) {
		return nil
	}
	c := l.campaign(d.GetUid())
	if d.GetGeneration() <= c.newest.GetGeneration() {
		return nil
	}
	c.newest, c.brandID = d, d.GetBrandId()
	given, answered := c.answers[d.GetGeneration()]
	switch {
	case given:
		c.follow(d)
	case !answered:
		c.unanswered = append(c.unanswered, d)
		c.unanswered = c.unanswered[max(0, len(c.unanswered)-maxUnanswered):]
	}
	l.lower(c, c.skus())
	l.advance(c)
	return nil
}

// allocate takes the pool's answer, or a top-up, in: stock comes from nowhere
// else. Either counts once, however often the pool's event was heard.
func (l *Ledger) allocate(a *lanev1.Allocate) error {
	if err := checkAllocate(a); err != nil {
		return err
	}
	if r, ok := l.retired[a.GetCampaignUid()]; ok {
		l.giveBack(r, a)
		return nil
	}
	c := l.campaign(a.GetCampaignUid())
	if a.GetTopUp() > 0 {
		if a.GetTopUp() <= c.topUps {
			return nil
		}
		c.topUps = a.GetTopUp()
	} else {
		if _, again := c.answers[a.GetGeneration()]; again {
			return nil
		}
		c.answer(a)
	}
	if a.GetRefusedReason() == "" {
		c.given = max(c.given, a.GetGeneration())
		for _, add := range a.GetAdd() {
			c.sku(add.GetSku()).units += add.GetUnits()
		}
	}
	if c.phase == drained {
		l.letGo(c, c.skus(), a.GetGeneration(), everything)
		return nil
	}
	l.lower(c, c.skus())
	l.advance(c)
	return nil
}

func checkAllocate(a *lanev1.Allocate) error {
	if a.GetCampaignUid() == "" || a.GetGeneration() <= 0 || a.GetTopUp() < 0 {
		return fmt.Errorf("%w: an allocation without campaign or generation", ErrMalformed)
	}
	for _, add := range a.GetAdd() {
		if add.GetSku() == "" || add.GetUnits() < 0 {
			return fmt.Errorf("%w: an allocation adds units of a SKU", ErrMalformed)
		}
	}
	return nil
}

// answer notes the pool's answer and follows the generation if it is known.
func (c *campaign) answer(a *lanev1.Allocate) {
	generation, given := a.GetGeneration(), a.GetRefusedReason() == ""
	c.answers[generation] = given
	if generation > c.allocation.GetGeneration() {
		c.allocation = &campaignv1.Allocation{
			Generation: generation, State: campaignv1.Allocation_STATE_ALLOCATED,
			Reason: a.GetRefusedReason(), Message: a.GetRefusedMessage(),
		}
		if !given {
			c.allocation.State = campaignv1.Allocation_STATE_REFUSED
		}
	}
	for _, d := range c.unanswered {
		if d.GetGeneration() == generation && given {
			c.follow(d)
		}
	}
	c.unanswered = slices.DeleteFunc(c.unanswered, func(d *campaignv1.Desired) bool { return d.GetGeneration() <= generation })
}

// follow makes d the generation that the campaign sells under.
func (c *campaign) follow(d *campaignv1.Desired) {
	if d.GetGeneration() <= c.good.GetGeneration() {
		return
	}
	c.good, c.items = d, itemsOf(d)
	for sku := range c.items {
		c.sku(sku)
	}
}

func itemsOf(d *campaignv1.Desired) map[string]*campaignv1.Item {
	items := make(map[string]*campaignv1.Item, len(d.GetItems()))
	for _, item := range d.GetItems() {
		items[item.GetSku()] = item
	}
	return items
}

func (c *campaign) sku(sku string) *stock {
	s, ok := c.stock[sku]
	if !ok {
		s = &stock{}
		c.stock[sku] = s
	}
	return s
}

// skus returns every SKU that the campaign ever had, sorted.
func (c *campaign) skus() []string { return slices.Sorted(maps.Keys(c.stock)) }

func (c *campaign) suspended() bool { return c.good.GetSuspended() || c.newest.GetSuspended() }

// opensAt returns when the campaign may open; false while it has no stock given.
func (c *campaign) opensAt() (time.Time, bool) {
	if c.good == nil || c.phase != waiting {
		return time.Time{}, false
	}
	at := c.good.GetStartAt().AsTime()
	if later := c.newest.GetStartAt().AsTime(); later.After(at) {
		at = later
	}
	return at, true
}

// endsAt returns when the campaign closes; false when it has, or when nothing
// was wanted yet.
func (c *campaign) endsAt() (time.Time, bool) {
	if c.newest == nil || c.phase >= closed {
		return time.Time{}, false
	}
	at := c.newest.GetEndAt().AsTime()
	if c.good != nil && c.good.GetEndAt().AsTime().Before(at) {
		at = c.good.GetEndAt().AsTime()
	}
	return at, true
}

// advance opens or closes a campaign whose time has come.
func (l *Ledger) advance(c *campaign) {
	if at, ok := c.endsAt(); ok && (c.newest.GetClosed() || !at.After(l.now)) {
		c.phase, c.closedAt = closed, l.now
		l.emit(&orderv1.CampaignClosed{CampaignUid: c.uid, At: timestamppb.New(l.now)})
		l.drain(c)
		return
	}
	if at, ok := c.opensAt(); ok && !at.After(l.now) {
		c.phase, c.openedAt = open, l.now
		l.emit(&orderv1.CampaignOpened{CampaignUid: c.uid, At: timestamppb.New(l.now)})
	}
}

// lower lets go what the good generation no longer wants of these SKUs, as far
// as it is free. While a newer generation has brought stock but is not known
// itself, what it wants is not known either.
func (l *Ledger) lower(c *campaign, skus []string) {
	if c.phase >= closed || c.good == nil || c.good.GetGeneration() < c.given {
		return
	}
	l.letGo(c, skus, c.good.GetGeneration(), func(sku string, s *stock) int64 {
		return min(s.free(), max(0, s.units-c.items[sku].GetUnits()))
	})
}

// drain gives all that is left back, once: when the campaign is closed and its
// last hold is resolved.
func (l *Ledger) drain(c *campaign) {
	if c.phase != closed || c.held > 0 {
		return
	}
	c.phase = drained
	if !l.letGo(c, c.skus(), c.newest.GetGeneration(), everything) {
		l.emit(&orderv1.StockLetGo{CampaignUid: c.uid, BrandId: c.brandID, Drained: true, Generation: c.newest.GetGeneration()})
	}
}

func everything(_ string, s *stock) int64 { return s.free() }

// letGo takes units of these SKUs, which are sorted, out of the campaign and
// says so; false when there are none.
func (l *Ledger) letGo(c *campaign, skus []string, generation int64, units func(sku string, s *stock) int64) bool {
	var gone []*orderv1.LetGoUnits
	for _, sku := range skus {
		s := c.stock[sku]
		if n := units(sku, s); n > 0 {
			s.units -= n
			gone = append(gone, &orderv1.LetGoUnits{Sku: sku, Units: n})
		}
	}
	if len(gone) == 0 {
		return false
	}
	l.emit(&orderv1.StockLetGo{
		CampaignUid: c.uid, BrandId: c.brandID, Units: gone, Drained: c.phase == drained, Generation: generation,
	})
	return true
}

// giveBack lets stock go that came for a retired campaign. What had come before
// it retired was let go or sold then: heard again it must not go back again.
func (l *Ledger) giveBack(r *retired, a *lanev1.Allocate) {
	if a.GetTopUp() > 0 && a.GetTopUp() <= r.topUps || a.GetTopUp() == 0 && a.GetGeneration() <= r.answered {
		return
	}
	if a.GetTopUp() > 0 {
		r.topUps = a.GetTopUp()
	} else {
		r.answered = a.GetGeneration()
	}
	var gone []*orderv1.LetGoUnits
	for _, add := range a.GetAdd() {
		if add.GetUnits() > 0 {
			gone = append(gone, &orderv1.LetGoUnits{Sku: add.GetSku(), Units: add.GetUnits()})
		}
	}
	if len(gone) > 0 {
		l.emit(&orderv1.StockLetGo{
			CampaignUid: a.GetCampaignUid(), BrandId: r.brandID, Units: gone, Drained: true, Generation: a.GetGeneration(),
		})
	}
}

// settle retires a drained campaign and frees its memory; only its uid stays.
func (l *Ledger) settle(m *lanev1.Settle) {
	c, ok := l.campaigns[m.GetCampaignUid()]
	if !ok || c.phase != drained {
		return
	}
	l.retired[c.uid] = c.retire()
	maps.DeleteFunc(l.orders, func(_ string, o *Order) bool { return o.CampaignUID == c.uid })
	delete(l.campaigns, c.uid)
	if at, ok := slices.BinarySearch(l.uids, c.uid); ok {
		l.uids = slices.Delete(l.uids, at, at+1)
	}
	l.emit(&orderv1.CampaignRetired{CampaignUid: c.uid})
}
