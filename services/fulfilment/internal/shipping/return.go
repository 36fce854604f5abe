package shipping

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	fulfilmentv1 "github.com/qingcang/qingcang/proto/gen/fulfilment/v1"
	"github.com/qingcang/qingcang/services/internal/fault"
)

// RequestReturn takes a buyer's wish to send units back, within the window and without a reason.
func RequestReturn(o *Order, returnID string, lines []ReturnLine, bodyHash uint64, now time.Time) ([]proto.Message, error) {
	if !o.Known() {
		return nil, ErrUnknown
	}
	if old, ok := o.Return(returnID); ok {
		if old.BodyHash != bodyHash {
			return nil, errKeyReused
		}
		return nil, nil
	}
	switch {
	case o.State == Closed || o.State == Short || o.State == Signed && !now.Before(o.WindowEndsAt):
		return nil, fault.New(fault.Conflict, "window_closed", "the time for returns is over")
	case o.State != Signed:
		return nil, fault.New(fault.Conflict, "not_signed", "the parcel has not been signed for yet")
	case len(o.Returns) >= MaxReturns:
		return nil, fault.Newf(fault.Conflict, "too_many_returns", "an order takes %d returns at the most", MaxReturns)
	}
	fact := &fulfilmentv1.ReturnRequested{ReturnId: returnID, OrderId: o.ID, BodyHash: bodyHash}
	asked := map[string]int64{}
	var faults []fault.Field
	for i, l := range lines {
		sent := o.line(l.SKU)
		asked[l.SKU] += l.Units
		switch {
		case sent == nil:
			faults = append(faults, fault.Field{Pointer: fmt.Sprintf("/lines/%d", i), Detail: fmt.Sprintf("the order has no SKU %q", l.SKU)})
		case l.Units < 1 || asked[l.SKU] > sent.Sent-sent.Returning:
			faults = append(faults, fault.Field{Pointer: fmt.Sprintf("/lines/%d", i), Detail: fmt.Sprintf("%d units of %q can still come back", sent.Sent-sent.Returning, l.SKU)})
		}
		fact.Lines = append(fact.Lines, &fulfilmentv1.Line{Sku: l.SKU, Units: l.Units})
	}
	if len(faults) > 0 || len(lines) == 0 {
		return nil, fault.New(fault.Unprocessable, "nothing_to_return", "these units cannot come back").With(faults...)
	}
	return []proto.Message{fact}, nil
}

// ReceiveReturn records that the goods are back at the warehouse. They came in time if the return
// was asked for in time.
func ReceiveReturn(o *Order, returnID string) ([]proto.Message, error) {
	r, ok := o.Return(returnID)
	if !ok {
		return nil, ErrUnknown
	}
	switch r.State {
	case ReturnReceived:
		return nil, nil
	case ReturnExpired:
		return nil, fault.New(fault.Conflict, "return_expired", "the goods came more than 30 days after the return was asked for; settle it by hand")
	}
	fact := &fulfilmentv1.ReturnReceived{ReturnId: r.ID, OrderId: o.ID}
	for _, l := range r.Lines {
		fact.Lines = append(fact.Lines, &fulfilmentv1.Line{Sku: l.SKU, Units: l.Units})
	}
	return []proto.Message{fact}, nil
}

// Due decides what time alone decides: returns that never came, and the end of the window once no
// return is on its way.
func Due(o *Order, now time.Time) []proto.Message {
	if o.State != Signed {
		return nil
	}
	var facts []proto.Message
	open := false
	for _, r := range o.Returns {
		switch {
		case r.State != ReturnRequested:
		case now.Before(r.RequestedAt.Add(returnTransit)):
			open = true
		default:
			facts = append(facts, &fulfilmentv1.ReturnExpired{ReturnId: r.ID, OrderId: o.ID})
		}
	}
	if !open && !now.Before(o.WindowEndsAt) {
		facts = append(facts, closing(o))
	}
	return facts
}
