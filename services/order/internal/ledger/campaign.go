package ledger

import (
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/proto/lane/record"
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

	newest     *campaignv1.Desired   // without items
	terms      []*terms              // good is the last
	unanswered []*campaignv1.Desired // not above newest, ascending
	answers    map[int64]bool        // by generation: whether stock was given
	given      int64                 // the newest generation that was given stock
	topUps     int64                 // of the pool, that came
	allocation *campaignv1.Allocation

	shelf    shelf
	orders   table
	holds    holds
	carts    map[fingerprint]cart    // by order
	accounts map[fingerprint]account // by buyer
	paidBy   map[fingerprint]string  // by order; see paid
	returned map[string]struct{}     // payments that nobody wanted

	phase    phase
	openedAt time.Time
	closedAt time.Time

	touched int64 // offset of the entry that last changed what Status says, in this process
}

func (l *Ledger) campaign(uid string) *campaign {
	c, ok := l.campaigns[uid]
	if !ok {
		c = newCampaign(uid)
		l.campaigns[uid] = c
		at, _ := slices.BinarySearch(l.uids, uid)
		l.uids = slices.Insert(l.uids, at, uid)
	}
	return c
}

func newCampaign(uid string) *campaign {
	return &campaign{
		uid: uid, answers: map[int64]bool{}, carts: map[fingerprint]cart{}, accounts: map[fingerprint]account{},
		paidBy: map[fingerprint]string{}, returned: map[string]struct{}{},
	}
}

// want takes a newer desired state in.
func (l *Ledger) want(d *campaignv1.Desired) error {
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
	c.newest, c.brandID, c.touched = headOf(d), d.GetBrandId(), l.offset
	given, answered := c.answers[d.GetGeneration()]
	switch {
	case given:
		l.follow(c, d)
	case !answered:
		c.unanswered = append(c.unanswered, d)
		c.unanswered = c.unanswered[max(0, len(c.unanswered)-maxUnanswered):]
	}
	l.lower(c, c.shelf.sorted)
	l.advance(c)
	return nil
}

// allocate takes the pool's answer, or a top-up, in: stock comes from nowhere
// else. Either counts once, however often the pool's event was heard.
func (l *Ledger) allocate(a *record.Allocate) error {
	if err := checkAllocate(a); err != nil {
		return err
	}
	if r, ok := l.retired[a.CampaignUID]; ok {
		l.giveBack(r, a)
		return nil
	}
	c := l.campaign(a.CampaignUID)
	c.touched = l.offset
	if a.TopUp > 0 {
		if a.TopUp <= c.topUps {
			return nil
		}
		c.topUps = a.TopUp
	} else {
		if _, again := c.answers[a.Generation]; again {
			return nil
		}
		l.answer(c, a)
	}
	if a.RefusedReason == "" {
		c.given = max(c.given, a.Generation)
		c.receive(a.Add)
	}
	if c.phase == drained {
		l.letGo(c, c.shelf.sorted, a.Generation, everything)
		return nil
	}
	l.lower(c, c.shelf.sorted)
	l.advance(c)
	return nil
}

// receive puts units on the shelf.
func (c *campaign) receive(add []record.Units) {
	skus := make([]string, 0, len(add))
	for _, one := range add {
		skus = append(skus, one.SKU)
	}
	c.shelf.add(skus)
	for _, one := range add {
		i, _ := c.shelf.find(one.SKU)
		c.shelf.stock[i].units += one.Units
	}
}

func checkAllocate(a *record.Allocate) error {
	if a.CampaignUID == "" || a.Generation <= 0 || a.TopUp < 0 {
		return fmt.Errorf("%w: an allocation without campaign or generation", ErrMalformed)
	}
	for _, add := range a.Add {
		if add.SKU == "" || add.Units < 0 {
			return fmt.Errorf("%w: an allocation adds units of a SKU", ErrMalformed)
		}
	}
	return nil
}

// answer notes the pool's answer and follows the generation if it is known.
func (l *Ledger) answer(c *campaign, a *record.Allocate) {
	generation, given := a.Generation, a.RefusedReason == ""
	c.answers[generation] = given
	if generation > c.allocation.GetGeneration() {
		c.allocation = &campaignv1.Allocation{
			Generation: generation, State: campaignv1.Allocation_STATE_ALLOCATED,
			Reason: a.RefusedReason, Message: a.RefusedMessage,
		}
		if !given {
			c.allocation.State = campaignv1.Allocation_STATE_REFUSED
		}
	}
	for _, d := range c.unanswered {
		if d.GetGeneration() == generation && given {
			l.follow(c, d)
		}
	}
	c.unanswered = slices.DeleteFunc(c.unanswered, func(d *campaignv1.Desired) bool { return d.GetGeneration() <= generation })
}

// follow makes d the generation that the campaign sells under.
func (l *Ledger) follow(c *campaign, d *campaignv1.Desired) {
	if d.GetGeneration() > c.goodHead().GetGeneration() {
		c.terms = append(c.terms, c.termsOf(l.offset, d))
	}
}

func (c *campaign) suspended() bool { return c.goodHead().GetSuspended() || c.newest.GetSuspended() }

// opensAt returns when the campaign may open; false while it has no stock given.
func (c *campaign) opensAt() (time.Time, bool) {
	if c.good() == nil || c.phase != waiting {
		return time.Time{}, false
	}
	at := c.goodHead().GetStartAt().AsTime()
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
	if good := c.goodHead(); good != nil && good.GetEndAt().AsTime().Before(at) {
		at = good.GetEndAt().AsTime()
	}
	return at, true
}

// advance opens or closes a campaign whose time has come.
func (l *Ledger) advance(c *campaign) {
	if at, ok := c.endsAt(); ok && (c.newest.GetClosed() || !at.After(l.Now())) {
		c.phase, c.closedAt, c.touched = closed, l.Now(), l.offset
		l.emit(printOf(c.uid), l.now, func() proto.Message {
			return &orderv1.CampaignClosed{CampaignUid: c.uid, At: timestamppb.New(l.Now())}
		})
		l.drain(c)
		return
	}
	if at, ok := c.opensAt(); ok && !at.After(l.Now()) {
		c.phase, c.openedAt, c.touched = open, l.Now(), l.offset
		l.emit(printOf(c.uid), l.now, func() proto.Message {
			return &orderv1.CampaignOpened{CampaignUid: c.uid, At: timestamppb.New(l.Now())}
		})
	}
}

// lower lets go what the good generation no longer wants of these SKUs, as far
// as it is free. While a newer generation has brought stock but is not known
// itself, what it wants is not known either.
func (l *Ledger) lower(c *campaign, items []item) {
	good := c.good()
	if c.phase >= closed || good == nil || good.head.GetGeneration() < c.given {
		return
	}
	l.letGo(c, items, good.head.GetGeneration(), func(i item, s *stock) int64 {
		return min(s.free(), max(0, s.units-good.offer(i).units))
	})
}

// drain gives all that is left back, once: when the campaign is closed and its
// last hold is resolved.
func (l *Ledger) drain(c *campaign) {
	if c.phase != closed || c.holds.open > 0 {
		return
	}
	c.phase, c.touched = drained, l.offset
	if !l.letGo(c, c.shelf.sorted, c.newest.GetGeneration(), everything) {
		l.emit(printOf(c.uid), 0, func() proto.Message {
			return &orderv1.StockLetGo{CampaignUid: c.uid, BrandId: c.brandID, Drained: true, Generation: c.newest.GetGeneration()}
		})
	}
}

func everything(_ item, s *stock) int64 { return s.free() }

// letGo takes units of these items out of the campaign and says so; false when
// there are none.
func (l *Ledger) letGo(c *campaign, items []item, generation int64, units func(i item, s *stock) int64) bool {
	var gone []*orderv1.LetGoUnits
	var sum int64
	for _, i := range items {
		s := &c.shelf.stock[i]
		if n := units(i, s); n > 0 {
			s.units -= n
			c.touched = l.offset
			sum += n
			gone = append(gone, &orderv1.LetGoUnits{Sku: c.shelf.sku(i), Units: n})
		}
	}
	if len(gone) == 0 {
		return false
	}
	l.emit(printOf(c.uid), sum, func() proto.Message {
		return &orderv1.StockLetGo{
			CampaignUid: c.uid, BrandId: c.brandID, Units: gone, Drained: c.phase == drained, Generation: generation,
		}
	})
	return true
}

// giveBack lets stock go that came for a retired campaign. What had come before
// it retired was let go or sold then: heard again it must not go back again.
func (l *Ledger) giveBack(r *retired, a *record.Allocate) {
	if a.TopUp > 0 && a.TopUp <= r.topUps || a.TopUp == 0 && a.Generation <= r.answered {
		return
	}
	if a.TopUp > 0 {
		r.topUps = a.TopUp
	} else {
		r.answered = a.Generation
	}
	var gone []*orderv1.LetGoUnits
	for _, add := range a.Add {
		if add.Units > 0 {
			gone = append(gone, &orderv1.LetGoUnits{Sku: add.SKU, Units: add.Units})
		}
	}
	if len(gone) > 0 {
		l.emit(printOf(a.CampaignUID), int64(len(gone)), func() proto.Message {
			return &orderv1.StockLetGo{
				CampaignUid: a.CampaignUID, BrandId: r.brandID, Units: gone, Drained: true, Generation: a.Generation,
			}
		})
	}
}

// settle retires a drained campaign and frees its memory; only its uid stays.
func (l *Ledger) settle(m *record.Settle) {
	c, ok := l.campaigns[m.CampaignUID]
	if !ok || c.phase != drained {
		return
	}
	l.retired[c.uid] = c.retire()
	delete(l.campaigns, c.uid)
	if at, ok := slices.BinarySearch(l.uids, c.uid); ok {
		l.uids = slices.Delete(l.uids, at, at+1)
	}
	l.emit(printOf(c.uid), 0, func() proto.Message { return &orderv1.CampaignRetired{CampaignUid: c.uid} })
}
