package payment

import (
	"slices"
	"time"

	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
)

// Orders is the money of the orders of one shard, and what it adds up to.
type Orders struct {
	byID map[string]*Order
	// open has the orders that wait for something; only they cost time.
	open map[string]*Order
	// financed has the orders of which finance has, or had, to see to a refund.
	financed map[string]*Order
	counts   map[string]Counts
	// byPayment finds the order of a payment: the provider names only that.
	byPayment map[string]string
	// bills are what came of the provider's bills, by day; one shard has them.
	bills map[string]*orderv1.BillReconciled
}

// Counts is what the money of a campaign's orders says about the campaign.
type Counts struct {
	// Paid orders were paid and confirmed; final ones of them cannot change.
	Paid, Final int64
	// PaidUnits are the units of the paid orders as they were sold: the lane has
	// sold as many when every sale that it confirmed is paid here, too.
	PaidUnits int64
	// Open orders wait for money to come or to go back.
	Open int64
}

// Add returns the sum: a campaign's orders are spread over the shards.
func (c Counts) Add(d Counts) Counts {
	return Counts{
		Paid: c.Paid + d.Paid, Final: c.Final + d.Final,
		PaidUnits: c.PaidUnits + d.PaidUnits, Open: c.Open + d.Open,
	}
}

// NewOrders returns an empty shard.
func NewOrders() *Orders {
	return &Orders{
		byID: map[string]*Order{}, open: map[string]*Order{}, financed: map[string]*Order{},
		counts: map[string]Counts{}, byPayment: map[string]string{}, bills: map[string]*orderv1.BillReconciled{},
	}
}

// Order returns the money of an order; an order without any is empty but for
// its id. The caller must not change it.
func (s *Orders) Order(id string) *Order {
	if o, ok := s.byID[id]; ok {
		return o
	}
	return &Order{ID: id}
}

// OfPayment returns the order of a payment, false if none of the shard has it.
func (s *Orders) OfPayment(paymentID string) (orderID string, ok bool) {
	orderID, ok = s.byPayment[paymentID]
	return orderID, ok
}

// Counts returns the counts of a campaign in this shard.
func (s *Orders) Counts(campaignUID string) Counts { return s.counts[campaignUID] }

// Due returns what is to be done now, in no order. It is the caller's to keep.
func (s *Orders) Due(now time.Time) []Work {
	var due []Work
	for _, o := range s.open {
		if work := Due(o, now); len(work) > 0 {
			kept := o.clone()
			for _, w := range work {
				w.Order = kept
				due = append(due, w)
			}
		}
	}
	return due
}

// Apply folds one fact, decided at the given time, into the shard.
func (s *Orders) Apply(f Fact, at time.Time) {
	id := Subject(f)
	if id == "" { // a bill, or written by a newer binary, whose own rules will tell what it means
		s.applyBill(f)
		return
	}
	o, ok := s.byID[id]
	if !ok {
		o = &Order{ID: id}
	} else {
		s.take(o)
	}
	o.apply(f, at)
	s.put(o)
}

// take undoes put, but for what only grows.
func (s *Orders) take(o *Order) {
	s.count(o, -1)
	delete(s.open, o.ID)
}

func (s *Orders) put(o *Order) {
	s.byID[o.ID] = o
	s.count(o, +1)
	if o.Open() || slices.ContainsFunc(o.Refunds, Refund.watched) {
		s.open[o.ID] = o
	}
	if slices.ContainsFunc(o.Refunds, Refund.Financed) {
		s.financed[o.ID] = o
	}
	if o.Prepay.Stage != "" {
		s.byPayment[PaymentID(o.ID)] = o.ID
	}
}

// count adds or takes away what an order contributes to its campaign.
func (s *Orders) count(o *Order, sign int64) {
	if o.CampaignUID == "" {
		return
	}
	c := s.counts[o.CampaignUID]
	if o.Verdict == Paid {
		c.Paid += sign
		c.PaidUnits += sign * o.Sale.units()
	}
	if o.Final() {
		c.Final += sign
	}
	if o.Open() {
		c.Open += sign
	}
	s.counts[o.CampaignUID] = c
}

// Subject returns the id of the order that a fact is about.
func Subject(f Fact) string {
	if about, ok := f.(interface{ GetOrderId() string }); ok {
		return about.GetOrderId()
	}
	return ""
}
