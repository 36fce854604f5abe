package app

import "time"

const (
	// askAfter is how long a notice may take before the provider is asked instead.
	askAfter = 5 * time.Second
	// askAtMostEvery is the longest wait between two questions of one kind about one membership.
	askAtMostEvery = time.Minute
)

// questions remembers when to ask the provider again. Losing it costs a few questions more.
type questions map[topic]*question

// topic is what is asked about: the fee of a membership while it is open, then its refunds.
type topic struct {
	id   string
	open bool
}

type question struct {
	next time.Time
	wait time.Duration
}

// due reports whether it is time to ask, and if so makes the next wait twice as long. A refund is
// asked for at once; a fee when its notice is late. A membership whose page never got a prepay id
// cannot be paid, so it is asked about only when its time is over.
func (q questions) due(b business, now time.Time) bool {
	payable := now.Before(b.expiresAt)
	if b.open && !b.prepaid && payable {
		return false
	}
	one := q[b.topic()]
	if one == nil {
		one = &question{next: now, wait: askAfter}
		if b.open && payable {
			one.next = now.Add(askAfter)
		}
		q[b.topic()] = one
	}
	if now.Before(one.next) {
		return false
	}
	one.next = now.Add(one.wait)
	one.wait = min(2*one.wait, askAtMostEvery)
	return true
}

// forget drops what needs no asking any more.
func (q questions) forget(busy []business) {
	still := make(map[topic]bool, len(busy))
	for _, b := range busy {
		still[b.topic()] = true
	}
	for t := range q {
		if !still[t] {
			delete(q, t)
		}
	}
}

func (b business) topic() topic { return topic{id: b.id, open: b.open} }
