package payment

import "time"

// Task is what an order's money waits for somebody to do.
type Task string

// The tasks.
const (
	// Pay appends the payment to the order's lane, which answers.
	Pay Task = "pay"
	// Query asks the provider whether money came without a notice, and closes
	// the prepay if not.
	Query Task = "query"
	// GiveBack asks the provider to give money back, or whether it did.
	GiveBack Task = "refund"
)

const (
	// payGrace leaves a payment to the replica that heard the notice.
	payGrace = 2 * time.Second
	// queryGrace is how long after its end a prepay may still bring a notice.
	queryGrace = 10 * time.Second
)

// Work is one task of one order.
type Work struct {
	Order *Order
	Task  Task
	// Refund is set for GiveBack.
	Refund Refund
}

// Key names the work, so that one is not started twice.
func (w Work) Key() string { return string(w.Task) + "/" + w.Order.ID + "/" + w.Refund.ID }

// Due returns what is to be done for an order now. It follows from the order's
// state alone: whatever crashed, the work is there again.
func Due(o *Order, now time.Time) []Work {
	var due []Work
	if o.undecided() && now.Sub(o.Receipt.At) >= payGrace {
		due = append(due, Work{Order: o, Task: Pay})
	}
	if o.Prepay.Open() && (o.Released || now.Sub(o.Prepay.ExpiresAt) >= queryGrace) {
		due = append(due, Work{Order: o, Task: Query})
	}
	for _, r := range o.Refunds {
		if !r.Settled {
			due = append(due, Work{Order: o, Task: GiveBack, Refund: r})
		}
	}
	return due
}
