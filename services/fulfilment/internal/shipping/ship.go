package shipping

import (
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	fulfilmentv1 "github.com/qingcang/qingcang/proto/gen/fulfilment/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/internal/fault"
)

// Create makes the shipping order of a paid order, once.
func Create(o *Order, paid *orderv1.OrderPaid) []proto.Message {
	if o.Known() {
		return nil
	}
	created := &fulfilmentv1.ShippingOrderCreated{
		ShippingOrderId: IDFor(paid.GetOrderId()), OrderId: paid.GetOrderId(), CampaignUid: paid.GetCampaignUid(),
		BrandId: paid.GetBrandId(), BuyerId: paid.GetBuyerId(), AddressId: paid.GetAddressId(), ReturnWindow: paid.GetReturnWindow(),
	}
	for _, l := range paid.GetLines() {
		created.Lines = append(created.Lines, &fulfilmentv1.Line{Sku: l.GetSku(), Units: l.GetUnits()})
	}
	return []proto.Message{created}
}

// Pick hands the order to the warehouse. Picking again changes nothing.
func Pick(o *Order) ([]proto.Message, error) {
	switch o.State {
	case Waiting:
		return []proto.Message{&fulfilmentv1.PickingStarted{ShippingOrderId: o.ShippingOrderID, OrderId: o.ID}}, nil
	case Picking:
		return nil, nil
	case "":
		return nil, ErrUnknown
	default:
		return nil, fault.New(fault.Conflict, "already_shipped", "the shipment was reported; the address is not shown any more")
	}
}

// Shipment is what a warehouse reports.
type Shipment struct {
	Carrier, WaybillNo string
	Lines              []ShipmentLine
	BodyHash           uint64
}

// ShipmentLine is the trade's num, realnum, lacknum: ordered, sent, short.
type ShipmentLine struct {
	SKU                string
	Num, Real, Lacking int64
}

// Ship takes a warehouse's report. Every line is reported once and adds up. When nothing went out
// there is no parcel, and the order's window is over at once.
func Ship(o *Order, s Shipment) ([]proto.Message, error) {
	switch {
	case !o.Known():
		return nil, ErrUnknown
	case o.State == Waiting:
		return nil, fault.New(fault.Conflict, "not_picked", "start picking first; it shows the address")
	case o.State != Picking && o.ShipmentHash == s.BodyHash:
		return nil, nil
	case o.State != Picking:
		return nil, fault.New(fault.Conflict, "already_shipped", "another shipment was reported for this order")
	}
	lines, sent, err := shippedLines(o, s.Lines)
	if err != nil {
		return nil, err
	}
	if err := checkParcel(s, sent); err != nil {
		return nil, err
	}
	facts := []proto.Message{&fulfilmentv1.ParcelShipped{
		ShippingOrderId: o.ShippingOrderID, OrderId: o.ID, BrandId: o.BrandID,
		Carrier: s.Carrier, WaybillNo: s.WaybillNo, Lines: lines, BodyHash: s.BodyHash,
	}}
	if sent == 0 {
		facts = append(facts, closing(o))
	}
	return facts, nil
}

// shippedLines checks the report against the order, with all its faults at once.
func shippedLines(o *Order, reported []ShipmentLine) (lines []*fulfilmentv1.ShippedLine, sent int64, err error) {
	var faults []fault.Field
	wrong := func(i int, format string, args ...any) {
		faults = append(faults, fault.Field{Pointer: fmt.Sprintf("/lines/%d", i), Detail: fmt.Sprintf(format, args...)})
	}
	seen := map[string]bool{}
	for i, r := range reported {
		ordered := o.line(r.SKU)
		switch {
		case ordered == nil:
			wrong(i, "the order has no SKU %q", r.SKU)
		case seen[r.SKU]:
			wrong(i, "SKU %q is reported twice; report it once", r.SKU)
		case r.Num != ordered.Units:
			wrong(i, "num of %q must be the %d units ordered", r.SKU, ordered.Units)
		case r.Real < 0 || r.Lacking < 0 || r.Real+r.Lacking != r.Num:
			wrong(i, "num of %q must be realnum + lacknum", r.SKU)
		}
		seen[r.SKU] = true
		sent += r.Real
		lines = append(lines, &fulfilmentv1.ShippedLine{Sku: r.SKU, Num: r.Num, Realnum: r.Real, Lacknum: r.Lacking})
	}
	for _, l := range o.Lines {
		if !seen[l.SKU] {
			faults = append(faults, fault.Field{Pointer: "/lines", Detail: fmt.Sprintf("SKU %q is missing; report what was short with lacknum", l.SKU)})
		}
	}
	if len(faults) > 0 {
		return nil, 0, fault.New(fault.Unprocessable, "shipment_mismatch", "the report does not match the order").With(faults...)
	}
	return lines, sent, nil
}

func checkParcel(s Shipment, sent int64) error {
	named := strings.TrimSpace(s.Carrier) != "" && strings.TrimSpace(s.WaybillNo) != ""
	switch {
	case sent > 0 && !named:
		return fault.New(fault.Unprocessable, "waybill_missing", "carrier and waybillNo are needed for what was sent")
	case sent == 0 && (s.Carrier != "" || s.WaybillNo != ""):
		return fault.New(fault.Unprocessable, "waybill_unused", "nothing was sent: leave carrier and waybillNo empty")
	}
	return nil
}

// Sign records that the buyer has the parcel, and sets the end of the return window.
func Sign(o *Order, now time.Time) ([]proto.Message, error) {
	switch o.State {
	case "":
		return nil, ErrUnknown
	case Signed, Closed:
		return nil, nil
	case Shipped:
	default:
		return nil, fault.New(fault.Conflict, "not_shipped", "no parcel of this order is on its way")
	}
	return []proto.Message{&fulfilmentv1.ParcelSigned{
		ShippingOrderId: o.ShippingOrderID, OrderId: o.ID,
		SignedAt: timestamppb.New(now), WindowEndsAt: timestamppb.New(WindowEnd(now, o.WindowFrom, o.Window)),
	}}, nil
}

// china is the offset of Asia/Shanghai, which has kept no summer time since 1991.
var china = time.FixedZone("UTC+8", 8*60*60)

// WindowEnd is when the goods signed for now can no longer come back. By default day 1 is the day
// after signing in Shanghai: the Consumer Rights Protection Law, article 25, counts days from
// receipt, and the day of an event does not count (Civil Code, article 201).
func WindowEnd(signed time.Time, from campaignv1.ReturnWindow_From, window time.Duration) time.Time {
	start := signed
	if from != campaignv1.ReturnWindow_FROM_SIGNING {
		local := signed.In(china)
		start = time.Date(local.Year(), local.Month(), local.Day()+1, 0, 0, 0, 0, china)
	}
	return start.Add(window).UTC()
}

func closing(o *Order) proto.Message {
	return &fulfilmentv1.ReturnWindowClosed{OrderId: o.ID, ShippingOrderId: o.ShippingOrderID}
}
