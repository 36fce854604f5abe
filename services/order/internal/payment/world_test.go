package payment

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	fulfilmentv1 "github.com/qingcang/qingcang/proto/gen/fulfilment/v1"
	moneyv1 "github.com/qingcang/qingcang/proto/gen/money/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/internal/book"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/money"
)

const (
	orderID  = "ord_1"
	campaign = "c-1"
)

var (
	start    = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	deadline = start.Add(15 * time.Minute)
)

// world is one order's journal, its books, and a record of it that reads as prose.
type world struct {
	t     testing.TB
	now   time.Time
	state *Orders
	book  book.Balances
	told  []string
}

func newWorld(t testing.TB) *world {
	return &world{t: t, now: start, state: NewOrders(), book: book.Balances{}}
}

func (w *world) order() *Order { return w.state.Order(orderID) }

// take journals what was decided and checks what must hold at each step.
func (w *world) take(facts []Fact, err error) {
	w.t.Helper()
	if err != nil {
		w.told = append(w.told, "refused: "+fault.KindOf(err).String())
		return
	}
	for _, f := range facts {
		w.state.Apply(f, w.now)
		w.told = append(w.told, tell(f))
		if p, ok := f.(interface{ GetPosting() *moneyv1.Posting }); ok {
			if p.GetPosting() != nil {
				if err := Table.Check(p.GetPosting()); err != nil {
					w.t.Fatalf("%s: %v", tell(f), err)
				}
			}
			if err := w.book.Apply(p.GetPosting()); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	if len(facts) > 0 {
		w.check()
	}
}

func (w *world) check() {
	w.t.Helper()
	if sum := w.book.Sum(); sum != 0 {
		w.t.Fatalf("the books are off by %s after %v", sum, w.told)
	}
	data, err := w.state.Encode()
	if err != nil {
		w.t.Fatal(err)
	}
	again, err := DecodeOrders(data)
	if err != nil {
		w.t.Fatal(err)
	}
	if twice, _ := again.Encode(); !bytes.Equal(data, twice) || again.Counts(campaign) != w.state.Counts(campaign) || len(again.open) != len(w.state.open) || len(again.financed) != len(w.state.financed) {
		w.t.Fatalf("a snapshot loses something: %s became %s", data, twice)
	}
}

// backs is the provider's word that a refund is made.
func backs(r Refund) RefundAnswer {
	return RefundAnswer{Number: r.Number(), State: RefundMade, Fen: r.Fen, AcceptedAt: start}
}

// settle lets the provider give back everything that it was asked to.
func (w *world) settle() {
	for _, r := range w.order().clone().Refunds {
		w.take(RecordRefund(w.order(), backs(r), w.now))
	}
}

func (w *world) hear(facts ...Fact) {
	w.t.Helper()
	for _, f := range facts {
		w.take(Hear(w.order(), f, w.now))
	}
}

// held is an order of 2 A at ¥60 and 1 B at ¥19.99.
func held() Held {
	return Held{CampaignUID: campaign, BuyerID: "per_b", Fen: 13_999, Deadline: deadline, Lane: Lane{Topic: "lanes.shared.v1", Partition: 2}}
}

func confirmed() *orderv1.OrderConfirmed {
	return &orderv1.OrderConfirmed{
		OrderId: orderID, CampaignUid: campaign, BrandId: "brand_1", BuyerId: "per_b", OwnerId: "per_o",
		AddressId: "addr_1", PaymentId: PaymentID(orderID), CommissionBps: 1_000,
		Lines: []*orderv1.ConfirmedLine{
			{Sku: "A", Units: 2, PriceFen: 6_000, SettlementFen: 4_000},
			{Sku: "B", Units: 1, PriceFen: 1_999, SettlementFen: 1_000},
		},
	}
}

func released() Fact {
	return &orderv1.OrderReleased{OrderId: orderID, CampaignUid: campaign, Reason: orderv1.OrderReleased_REASON_EXPIRED}
}

func unwanted(reason string) Fact {
	return &orderv1.PaymentUnwanted{OrderId: orderID, CampaignUid: campaign, PaymentId: PaymentID(orderID), Reason: reason}
}

func shipped(short map[string]int64) Fact {
	f := &fulfilmentv1.ParcelShipped{ShippingOrderId: "ship_1", OrderId: orderID, BrandId: "brand_1"}
	for _, l := range confirmed().GetLines() {
		lack := short[l.GetSku()]
		f.Lines = append(f.Lines, &fulfilmentv1.ShippedLine{Sku: l.GetSku(), Num: l.GetUnits(), Realnum: l.GetUnits() - lack, Lacknum: lack})
	}
	return f
}

func returned(id, sku string, units int64) Fact {
	return &fulfilmentv1.ReturnReceived{ReturnId: id, OrderId: orderID, Lines: []*fulfilmentv1.Line{{Sku: sku, Units: units}}}
}

func windowClosed() Fact {
	return &fulfilmentv1.ReturnWindowClosed{OrderId: orderID, ShippingOrderId: "ship_1"}
}

// tell says a fact in a line.
func tell(f Fact) string {
	switch f := f.(type) {
	case *orderv1.PrepayRequested:
		return fmt.Sprintf("prepay of %s requested", money.Fen(f.GetFen()))
	case *orderv1.PrepayCreated:
		return "prepay " + f.GetPrepayId() + " created"
	case *orderv1.PrepayClosed:
		return "prepay closed"
	case *orderv1.PaymentReceived:
		return fmt.Sprintf("%s received by %s", money.Fen(f.GetFen()), f.GetTransactionId())
	case *orderv1.OrderPaid:
		var lines []string
		for _, l := range f.GetLines() {
			lines = append(lines, tellLine(l.GetUnits(), l.GetSku(), l.GetBrandFen(), l.GetOwnerFen(), l.GetPlatformFen()))
		}
		return "paid: " + strings.Join(lines, "; ")
	case *orderv1.LineShort:
		l := f.GetLine()
		return "short " + tellLine(l.GetUnits(), l.GetSku(), l.GetBrandFen(), l.GetOwnerFen(), l.GetPlatformFen())
	case *orderv1.LineReturned:
		l := f.GetLine()
		return "returned " + tellLine(l.GetUnits(), l.GetSku(), l.GetBrandFen(), l.GetOwnerFen(), l.GetPlatformFen())
	case *orderv1.RefundRequested:
		return fmt.Sprintf("refund of %s requested: %s", money.Fen(f.GetFen()), f.GetReason())
	case *orderv1.RefundAccepted:
		return "refund accepted"
	case *orderv1.RefundClosed:
		return "refund's number closed"
	case *orderv1.RefundNeedsFinance:
		return "refund of " + money.Fen(f.GetFen()).String() + " needs finance: " + f.GetReason()
	case *orderv1.RefundResolved:
		return "refund " + strings.ToLower(strings.TrimPrefix(f.GetHow().String(), "HOW_"))
	case *orderv1.RefundSettled:
		return fmt.Sprintf("refund of %s settled", money.Fen(f.GetFen()))
	case *orderv1.OrderMatured:
		lines := []string{"matured"}
		for _, l := range f.GetLines() {
			lines = append(lines, tellLine(l.GetUnits(), l.GetSku(), l.GetBrandFen(), l.GetOwnerFen(), l.GetPlatformFen()))
		}
		return strings.Join(lines, "; ")
	default:
		return "kept " + string(f.ProtoReflect().Descriptor().Name())
	}
}

func tellLine(units int64, sku string, brand, owner, platform int64) string {
	return fmt.Sprintf("%d %s = %d+%d+%d", units, sku, brand, owner, platform)
}
