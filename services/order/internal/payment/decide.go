package payment

import (
	"time"

	fulfilmentv1 "github.com/qingcang/qingcang/proto/gen/fulfilment/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
)

// decision collects facts, and keeps the order as it is with them, so that a
// fact may lead to the next.
type decision struct {
	order *Order
	now   time.Time
	facts []Fact
}

func decide(o *Order, now time.Time) *decision { return &decision{order: o.clone(), now: now} }

func (d *decision) emit(f Fact) {
	d.facts = append(d.facts, f)
	d.order.apply(f, d.now)
}

// Hear decides what a fact of a lane or of fulfilment does to the order's
// money. A fact of another type does nothing.
func Hear(o *Order, f Fact, now time.Time) ([]Fact, error) {
	d := decide(o, now)
	if err := d.hear(f); err != nil {
		return nil, err
	}
	return d.facts, nil
}

func (d *decision) hear(f Fact) error {
	switch f := f.(type) {
	case *orderv1.OrderReleased:
		d.release(f)
		return nil
	case *orderv1.OrderConfirmed:
		return d.confirm(f)
	case *orderv1.PaymentUnwanted:
		return d.unwanted(f)
	case *fulfilmentv1.ParcelShipped:
		return d.short(f)
	case *fulfilmentv1.ReturnReceived:
		return d.returned(f)
	case *fulfilmentv1.ReturnWindowClosed:
		return d.mature(f)
	default:
		return nil
	}
}

// keep journals a fact that came early.
func (d *decision) keep(f Fact) {
	if !d.order.waits(f) {
		d.emit(f)
	}
}

// take hears again what waited, now that something has come that it may have
// waited for.
func (d *decision) take(waiting []Pending) error {
	for _, p := range inRank(waiting) {
		if err := d.hear(p.Fact); err != nil {
			return err
		}
	}
	return nil
}

// waitsForSale reports whether the sale that a fact is about may still come.
// If not, the fact is about nothing here: the payment was refunded.
func (d *decision) waitsForSale() bool { return d.order.Verdict == "" }
