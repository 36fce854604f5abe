package ledger

import (
	"cmp"
	"container/heap"
	"fmt"
	"time"

	lanev1 "github.com/qingcang/qingcang/proto/gen/lane/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
)

// tick moves ledger time on: holds whose deadline has come expire by deadline
// and order id, then campaigns open and close by uid.
func (l *Ledger) tick(t *lanev1.Tick) error {
	if err := t.GetAt().CheckValid(); err != nil {
		return fmt.Errorf("%w: tick: %w", ErrMalformed, err)
	}
	at := t.GetAt().AsTime()
	if !at.After(l.now) {
		return nil
	}
	l.now = at
	for {
		o, ok := l.nextHold()
		if !ok || o.Deadline.After(l.now) {
			break
		}
		l.release(l.campaigns[o.CampaignUID], o, Expired, orderv1.OrderReleased_REASON_EXPIRED)
	}
	for _, uid := range l.uids {
		l.advance(l.campaigns[uid])
	}
	return nil
}

// nextHold returns the held order whose deadline comes first. Holds that were
// resolved before it are thrown away on the way.
func (l *Ledger) nextHold() (*Order, bool) {
	for len(l.holds) > 0 {
		first := l.holds[0]
		if o, ok := l.orders[first.orderID]; ok && o.State == Held && o.Deadline.Equal(first.deadline) {
			return o, true
		}
		heap.Pop(&l.holds)
	}
	return nil, false
}

// NextDue returns the next time at which a tick will do something: a hold's
// deadline, a start or an end.
func (l *Ledger) NextDue() (time.Time, bool) {
	var due time.Time
	found := false
	sooner := func(at time.Time, ok bool) {
		if ok && (!found || at.Before(due)) {
			due, found = at, true
		}
	}
	if o, ok := l.nextHold(); ok {
		sooner(o.Deadline, true)
	}
	for _, uid := range l.uids {
		c := l.campaigns[uid]
		sooner(c.opensAt())
		sooner(c.endsAt())
	}
	return due, found
}

// ShortestHold returns the shortest hold time of the campaigns that are open;
// false when none is. Ledger time must not lag by more than a part of it, or
// holds would be cut short.
func (l *Ledger) ShortestHold() (time.Duration, bool) {
	var shortest time.Duration
	found := false
	for _, c := range l.campaigns { // a minimum does not depend on the order
		if c.phase != open {
			continue
		}
		if d := time.Duration(c.good.GetHoldSeconds()) * time.Second; !found || d < shortest {
			shortest, found = d, true
		}
	}
	return shortest, found
}

// holds is a heap of deadlines. A resolved hold stays until it comes up.
type holds []deadline

type deadline struct {
	deadline time.Time
	orderID  string
}

func (h *holds) add(at time.Time, orderID string) {
	heap.Push(h, deadline{deadline: at, orderID: orderID})
}

// Len, Less, Swap, Push and Pop are for container/heap.
func (h holds) Len() int { return len(h) }

// Less orders by deadline, then by order id.
func (h holds) Less(i, j int) bool {
	return cmp.Or(h[i].deadline.Compare(h[j].deadline), cmp.Compare(h[i].orderID, h[j].orderID)) < 0
}

// Swap exchanges two elements.
func (h holds) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push appends an element.
func (h *holds) Push(x any) { *h = append(*h, x.(deadline)) }

// Pop takes the last element.
func (h *holds) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
