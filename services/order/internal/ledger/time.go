package ledger

import (
	"time"

	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/proto/lane/record"
)

// tick moves ledger time on, campaign by campaign in the order of their uids:
// holds whose deadline has come expire by deadline and then as they came; then the
// campaign opens or closes.
func (l *Ledger) tick(t *record.Tick) {
	if t.At <= l.now {
		return
	}
	l.now = t.At
	for _, uid := range l.uids {
		c := l.campaigns[uid]
		for {
			h, ok := c.holds.soonest()
			if !ok || h.deadline > l.now {
				break
			}
			l.release(c, h, isExpired, orderv1.OrderReleased_REASON_EXPIRED)
		}
		l.advance(c)
	}
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
	for _, uid := range l.uids {
		c := l.campaigns[uid]
		h, ok := c.holds.soonest()
		sooner(timeOf(h.deadline), ok)
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
		d := time.Duration(min(c.goodHead().GetHoldSeconds(), shortestHold)) * time.Second
		if !found || d < shortest {
			shortest, found = d, true
		}
	}
	return shortest, found
}
