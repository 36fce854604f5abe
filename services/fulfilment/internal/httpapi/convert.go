package httpapi

import "github.com/qingcang/qingcang/services/fulfilment/internal/shipping"

func lines(o shipping.Order) []Line {
	out := make([]Line, 0, len(o.Lines))
	for _, l := range o.Lines {
		out = append(out, Line{Sku: l.SKU, Units: l.Units})
	}
	return out
}

func returnState(r shipping.Return) ReturnState {
	return ReturnState{ReturnId: r.ID, State: ReturnStateState(r.State)}
}

func delivery(o shipping.Order) Delivery {
	out := Delivery{
		OrderId: o.ID, ShippingOrderId: o.ShippingOrderID, State: StateName(o.State),
		Lines: make([]DeliveryLine, 0, len(o.Lines)), Returns: make([]ReturnState, 0, len(o.Returns)),
	}
	if o.WaybillNo != "" {
		out.Carrier, out.WaybillNo = &o.Carrier, &o.WaybillNo
	}
	if !o.SignedAt.IsZero() {
		out.SignedAt, out.WindowEndsAt = &o.SignedAt, &o.WindowEndsAt
	}
	for _, l := range o.Lines {
		out.Lines = append(out.Lines, DeliveryLine{Sku: l.SKU, Units: l.Units, SentUnits: l.Sent, ReturnedUnits: l.Returned})
	}
	for _, r := range o.Returns {
		out.Returns = append(out.Returns, returnState(r))
	}
	return out
}
