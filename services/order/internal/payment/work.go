package payment

import "time"

// Task is what an order's money waits for somebody to do.
type Task string

// The tasks.
const (
	// Pay appends the payment to the order's lane, which answers.
	Pay Task = "pay"
	// Ask asks the provider whether money came without a notice.
	Ask Task = "ask"
	// End asks too, and ends the prepay if none came.
	End Task = "end"
	// GiveBack asks the provider to give money back.
	GiveBack Task = "refund"
	// Follow asks what became of a refund that the provider took.
	Follow Task = "follow"
)

const (
	// payGrace leaves a payment to the replica that heard the notice.
	payGrace = 2 * time.Second
	// askBefore is how long before the end of a hold the provider is asked: a
	// buyer who paid must not lose the stock because a notice was lost.
	askBefore = 20 * time.Second
	// endGrace is how long after its end a prepay may still bring a notice.
	endGrace = 10 * time.Second
)

// Work is one task of one order.
type Work struct {
	Order *Order
	Task  Task
	// Refund is set for GiveBack and Follow.
	Refund Refund
}

// Key names the work, so that one is not started twice.
func (w Work) Key() string {
	return string(w.Task) + "/" + w.Order.ID + "/" + w.Refund.Number()
}

// Due returns what is to be done for an order now. It follows from the order's
// state alone: whatever crashed, the work is there again.
func Due(o *Order, now time.Time) []Work {
	var due []Work
	if o.undecided() && now.Sub(o.Receipt.At) >= payGrace {
		due = append(due, Work{Order: o, Task: Pay})
	}
	if o.Prepay.Open() {
		switch past := now.Sub(o.Prepay.ExpiresAt); {
		case o.Released, past >= endGrace:
			due = append(due, Work{Order: o, Task: End})
		case past >= -askBefore && o.Prepay.Stage == PrepayCreated:
			due = append(due, Work{Order: o, Task: Ask})
		}
	}
	for _, r := range o.Refunds {
		switch {
		case r.Stage == RefundAsked:
			due = append(due, Work{Order: o, Task: GiveBack, Refund: r})
		case r.Stage == RefundAccepted, r.watched():
			due = append(due, Work{Order: o, Task: Follow, Refund: r})
		}
	}
	return due
}
