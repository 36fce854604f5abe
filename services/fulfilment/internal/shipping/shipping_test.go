package shipping_test

import (
	"bytes"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	fulfilmentv1 "github.com/qingcang/qingcang/proto/gen/fulfilment/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/fulfilment/internal/shipping"
	"github.com/qingcang/qingcang/services/internal/fault"
)

const orderID = "ord_1"

var noon = time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)

// world is one shard with one clock.
type world struct {
	orders *shipping.Orders
	now    time.Time
}

func (w *world) do(facts []proto.Message, err error) error {
	for _, f := range facts {
		w.orders.Apply(f, w.now)
	}
	return err
}

func (w *world) order() *shipping.Order { return w.orders.Get(orderID) }

func paid(units ...int64) *orderv1.OrderPaid {
	out := &orderv1.OrderPaid{
		OrderId: orderID, BrandId: "brand_1", BuyerId: "per_1",
		ReturnWindow: &campaignv1.ReturnWindow{Seconds: 7 * 24 * 3600, From: campaignv1.ReturnWindow_FROM_NEXT_MIDNIGHT},
	}
	for i, u := range units {
		out.Lines = append(out.Lines, &orderv1.PaidLine{Sku: string(rune('A' + i)), Units: u})
	}
	return out
}

// picked is an order of two lines, 2 of A and 1 of B, in the warehouse's hands.
func picked(t testing.TB) *world {
	t.Helper()
	w := &world{orders: shipping.NewOrders(), now: noon}
	if err := w.do(shipping.Create(w.order(), paid(2, 1)), nil); err != nil {
		t.Fatal(err)
	}
	if err := w.do(shipping.Pick(w.order())); err != nil {
		t.Fatal(err)
	}
	return w
}

func line(sku string, num, sent, lacking int64) shipping.ShipmentLine {
	return shipping.ShipmentLine{SKU: sku, Num: num, Real: sent, Lacking: lacking}
}

func parcel(lines ...shipping.ShipmentLine) shipping.Shipment {
	return shipping.Shipment{Carrier: "SF", WaybillNo: "SF1", Lines: lines, BodyHash: 1}
}

func TestShip(t *testing.T) {
	for name, test := range map[string]struct {
		report shipping.Shipment
		code   string
		want   shipping.State
	}{
		"a whole shipment is taken":             {report: parcel(line("A", 2, 2, 0), line("B", 1, 1, 0)), want: shipping.Shipped},
		"a short line is taken":                 {report: parcel(line("A", 2, 2, 0), line("B", 1, 0, 1)), want: shipping.Shipped},
		"nothing sent ends the order":           {report: shipping.Shipment{Lines: []shipping.ShipmentLine{line("A", 2, 0, 2), line("B", 1, 0, 1)}}, want: shipping.Short},
		"nothing sent has no waybill":           {report: parcel(line("A", 2, 0, 2), line("B", 1, 0, 1)), code: "waybill_unused", want: shipping.Picking},
		"a parcel has a waybill":                {report: shipping.Shipment{Lines: []shipping.ShipmentLine{line("A", 2, 2, 0), line("B", 1, 1, 0)}}, code: "waybill_missing", want: shipping.Picking},
		"a line that is missing is refused":     {report: parcel(line("A", 2, 2, 0)), code: "shipment_mismatch", want: shipping.Picking},
		"a line reported twice is refused":      {report: parcel(line("A", 2, 2, 0), line("A", 2, 2, 0), line("B", 1, 1, 0)), code: "shipment_mismatch", want: shipping.Picking},
		"a foreign SKU is refused":              {report: parcel(line("A", 2, 2, 0), line("B", 1, 1, 0), line("Z", 1, 1, 0)), code: "shipment_mismatch", want: shipping.Picking},
		"num is what was ordered":               {report: parcel(line("A", 3, 3, 0), line("B", 1, 1, 0)), code: "shipment_mismatch", want: shipping.Picking},
		"realnum and lacknum add up to num":     {report: parcel(line("A", 2, 2, 1), line("B", 1, 1, 0)), code: "shipment_mismatch", want: shipping.Picking},
		"a negative lacknum cannot hide a unit": {report: parcel(line("A", 2, 3, -1), line("B", 1, 1, 0)), code: "shipment_mismatch", want: shipping.Picking},
	} {
		t.Run(name, func(t *testing.T) {
			w := picked(t)
			err := w.do(shipping.Ship(w.order(), test.report))
			if got := code(err); got != test.code || w.order().State != test.want {
				t.Errorf("got %q in state %q, want %q in %q", got, w.order().State, test.code, test.want)
			}
		})
	}
}

func code(err error) string {
	if f, ok := fault.As(err); ok {
		return f.Code
	}
	return ""
}

func TestAShipmentIsReportedOnce(t *testing.T) {
	w := picked(t)
	report := parcel(line("A", 2, 2, 0), line("B", 1, 1, 0))
	for range 2 {
		if err := w.do(shipping.Ship(w.order(), report)); err != nil {
			t.Fatal(err)
		}
	}
	report.BodyHash = 2
	if _, err := shipping.Ship(w.order(), report); code(err) != "already_shipped" {
		t.Errorf("another report gave %v, want already_shipped", err)
	}
}

func TestAnOrderOfWhichNothingWasSentIsOverAtOnce(t *testing.T) {
	w := picked(t)
	facts, err := shipping.Ship(w.order(), shipping.Shipment{Lines: []shipping.ShipmentLine{line("A", 2, 0, 2), line("B", 1, 0, 1)}})
	if err != nil || len(facts) != 2 {
		t.Fatalf("got %d facts and %v, want the report and the closing", len(facts), err)
	}
	if _, ok := facts[1].(*fulfilmentv1.ReturnWindowClosed); !ok {
		t.Errorf("the second fact is %T, want ReturnWindowClosed", facts[1])
	}
}

func TestWindowEnd(t *testing.T) {
	week := 7 * 24 * time.Hour
	at := func(s string) time.Time {
		out, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for name, test := range map[string]struct {
		signed string
		from   campaignv1.ReturnWindow_From
		want   string
	}{
		"day 1 is the day after signing":                   {"2026-11-22T12:00:00+08:00", campaignv1.ReturnWindow_FROM_NEXT_MIDNIGHT, "2026-11-30T00:00:00+08:00"},
		"one second before midnight is the day before":     {"2026-11-22T23:59:59+08:00", campaignv1.ReturnWindow_FROM_NEXT_MIDNIGHT, "2026-11-30T00:00:00+08:00"},
		"at midnight the new day has begun":                {"2026-11-23T00:00:00+08:00", campaignv1.ReturnWindow_FROM_NEXT_MIDNIGHT, "2026-12-01T00:00:00+08:00"},
		"the day is Shanghai's, whatever the clock's zone": {"2026-11-22T16:30:00Z", campaignv1.ReturnWindow_FROM_NEXT_MIDNIGHT, "2026-12-01T00:00:00+08:00"},
		"from signing it counts seconds":                   {"2026-11-22T12:00:00+08:00", campaignv1.ReturnWindow_FROM_SIGNING, "2026-11-29T12:00:00+08:00"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := shipping.WindowEnd(at(test.signed), test.from, week); !got.Equal(at(test.want)) {
				t.Errorf("got %s, want %s", got.In(at(test.want).Location()), test.want)
			}
		})
	}
}

// signed is a shipped and signed order of 2 A (of which 1 was short) and 1 B.
func signed(t testing.TB) *world {
	t.Helper()
	w := picked(t)
	if err := w.do(shipping.Ship(w.order(), parcel(line("A", 2, 1, 1), line("B", 1, 1, 0)))); err != nil {
		t.Fatal(err)
	}
	if err := w.do(shipping.Sign(w.order(), w.now)); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestReturns(t *testing.T) {
	ask := func(w *world, id string, lines ...shipping.ReturnLine) error {
		return w.do(shipping.RequestReturn(w.order(), id, lines, uint64(len(lines)), w.now))
	}
	a := shipping.ReturnLine{SKU: "A", Units: 1}
	for name, test := range map[string]struct {
		try  func(w *world) error
		want string
	}{
		"what was sent can come back":    {func(w *world) error { return ask(w, "r1", a) }, ""},
		"what was short cannot":          {func(w *world) error { return ask(w, "r1", shipping.ReturnLine{SKU: "A", Units: 2}) }, "nothing_to_return"},
		"a SKU given twice is summed":    {func(w *world) error { return ask(w, "r1", a, a) }, "nothing_to_return"},
		"a unit comes back once":         {func(w *world) error { _ = ask(w, "r1", a); return ask(w, "r2", a) }, "nothing_to_return"},
		"a repeat changes nothing":       {func(w *world) error { _ = ask(w, "r1", a); return ask(w, "r1", a) }, ""},
		"the same key with another body": {func(w *world) error { _ = ask(w, "r1", a); return ask(w, "r1", a, a) }, "idempotency_key_reused"},
		"the last moment of the window":  {func(w *world) error { w.now = w.order().WindowEndsAt.Add(-1); return ask(w, "r1", a) }, ""},
		"the window's end":               {func(w *world) error { w.now = w.order().WindowEndsAt; return ask(w, "r1", a) }, "window_closed"},
		"a return nobody asked for":      {func(w *world) error { return w.do(shipping.ReceiveReturn(w.order(), "r9")) }, "not_found"},
		"goods that arrive a month too late": {func(w *world) error {
			_ = ask(w, "r1", a)
			w.now = w.now.Add(31 * 24 * time.Hour)
			_ = w.do(shipping.Due(w.order(), w.now), nil)
			return w.do(shipping.ReceiveReturn(w.order(), "r1"))
		}, "return_expired"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := code(test.try(signed(t))); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestTheWindowStaysOpenForAReturnOnItsWay(t *testing.T) {
	w := signed(t)
	if err := w.do(shipping.RequestReturn(w.order(), "r1", []shipping.ReturnLine{{SKU: "A", Units: 1}}, 1, w.now)); err != nil {
		t.Fatal(err)
	}
	w.now = w.order().WindowEndsAt.Add(time.Hour)
	if facts := shipping.Due(w.order(), w.now); len(facts) != 0 {
		t.Fatalf("closed with a return on its way: %v", facts)
	}
	if err := w.do(shipping.ReceiveReturn(w.order(), "r1")); err != nil {
		t.Fatal(err)
	}
	if err := w.do(shipping.Due(w.order(), w.now), nil); err != nil || w.order().State != shipping.Closed {
		t.Errorf("state %q after the return came, want closed", w.order().State)
	}
}

func TestUnitsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{orders: shipping.NewOrders(), now: noon}
		_ = w.do(shipping.Create(w.order(), paid(rapid.Int64Range(1, 5).Draw(t, "a"), rapid.Int64Range(1, 5).Draw(t, "b"))), nil)
		id := 0
		t.Repeat(map[string]func(*rapid.T){
			"pick": func(*rapid.T) { _ = w.do(shipping.Pick(w.order())) },
			"ship": func(t *rapid.T) {
				s := parcel()
				for _, l := range w.order().Lines {
					sent := rapid.Int64Range(0, l.Units).Draw(t, "sent")
					s.Lines = append(s.Lines, line(l.SKU, l.Units, sent, l.Units-sent))
				}
				_ = w.do(shipping.Ship(w.order(), s))
			},
			"sign": func(*rapid.T) { _ = w.do(shipping.Sign(w.order(), w.now)) },
			"ask": func(t *rapid.T) {
				id++
				_ = w.do(shipping.RequestReturn(w.order(), string(rune('a'+id)), []shipping.ReturnLine{{SKU: "A", Units: rapid.Int64Range(1, 3).Draw(t, "units")}}, 1, w.now))
			},
			"receive": func(t *rapid.T) {
				_ = w.do(shipping.ReceiveReturn(w.order(), string(rune('a'+rapid.IntRange(0, id).Draw(t, "id")))))
			},
			"wait": func(t *rapid.T) {
				w.now = w.now.Add(time.Duration(rapid.IntRange(1, 20).Draw(t, "days")) * 24 * time.Hour)
				_ = w.do(shipping.Due(w.order(), w.now), nil)
			},
			"": func(t *rapid.T) {
				for _, l := range w.order().Lines {
					if l.Sent > l.Units || l.Returning > l.Sent || l.Returned > l.Returning || l.Returned < 0 {
						t.Fatalf("units do not add up: %+v", l)
					}
				}
				first, err := w.orders.Encode()
				if err != nil {
					t.Fatal(err)
				}
				again, err := shipping.DecodeOrders(first)
				if err != nil {
					t.Fatal(err)
				}
				if second, err := again.Encode(); err != nil || !bytes.Equal(first, second) {
					t.Fatalf("a snapshot is not what it was made from: %v", err)
				}
			},
		})
	})
}
