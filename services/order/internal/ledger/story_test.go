package ledger_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
	"github.com/qingcang/qingcang/services/order/internal/ledger/ledgertest"
)

// The world of the stories: one campaign "sale" of the brand "brd", from
// second 100 to second 1000, holds last 60 s. Prices are 100 fen, of which the
// brand gets 70.
var zero = time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC)

func second(n int) *timestamppb.Timestamp {
	return timestamppb.New(zero.Add(time.Duration(n) * time.Second))
}

type change func(*campaignv1.Desired)

func want(generation int64, items string, changes ...change) record.Entry {
	d := &campaignv1.Desired{
		Uid: "sale", Generation: generation, BrandId: "brd", CommissionBps: 1000,
		StartAt: second(100), EndAt: second(1000), HoldSeconds: 60,
		ReturnWindow: &campaignv1.ReturnWindow{Seconds: 7, From: campaignv1.ReturnWindow_FROM_SIGNING},
	}
	for _, u := range units(items) {
		d.Items = append(d.Items, &campaignv1.Item{Sku: u.SKU, Units: u.Units, PriceFen: 100, SettlementFen: 70})
	}
	for _, change := range changes {
		change(d)
	}
	return entry(&record.Want{Desired: d})
}

func limit(n int64) change       { return func(d *campaignv1.Desired) { d.BuyerLimitUnits = n } }
func holdLimit(n int64) change   { return func(d *campaignv1.Desired) { d.HoldLimitUnits = n } }
func holds(seconds int64) change { return func(d *campaignv1.Desired) { d.HoldSeconds = seconds } }
func ends(s int) change          { return func(d *campaignv1.Desired) { d.EndAt = second(s) } }
func starts(s int) change        { return func(d *campaignv1.Desired) { d.StartAt = second(s) } }
func suspended() change          { return func(d *campaignv1.Desired) { d.Suspended = true } }
func closedNow() change          { return func(d *campaignv1.Desired) { d.Closed = true } }
func price(fen int64) change {
	return func(d *campaignv1.Desired) {
		for _, item := range d.GetItems() {
			item.PriceFen = fen
		}
	}
}

// units reads "a3 b2".
func units(text string) []record.Units {
	var us []record.Units
	for _, word := range strings.Fields(text) {
		var n int64
		if _, err := fmt.Sscan(word[1:], &n); err != nil {
			panic(err)
		}
		us = append(us, record.Units{SKU: word[:1], Units: n})
	}
	return us
}

func allocate(generation int64, items string) record.Entry {
	return entry(&record.Allocate{CampaignUID: "sale", Generation: generation, Add: units(items)})
}

func topUp(number, generation int64, items string) record.Entry {
	return entry(&record.Allocate{CampaignUID: "sale", Generation: generation, TopUp: number, Add: units(items)})
}

func poolRefuses(generation int64) record.Entry {
	return entry(&record.Allocate{
		CampaignUID: "sale", Generation: generation, RefusedReason: "NotEnoughStock", RefusedMessage: "ask for less",
	})
}

func tick(s int) record.Entry { return entry(&record.Tick{At: second(s).AsTime().UnixMilli()}) }

type placing func(*record.Place)

// place asks for lines as "order buyer".
func place(order, buyer, lines string, changes ...placing) record.Entry {
	p := &record.Place{OrderID: order, CampaignUID: "sale", BuyerID: buyer, OwnerID: "owner", AddressID: "addr", Lines: units(lines), BodyHash: 1}
	for _, change := range changes {
		change(p)
	}
	return entry(p)
}

func takeWhatFits(p *record.Place)  { p.TakeWhatFits = true }
func otherBody(p *record.Place)     { p.BodyHash = 2 }
func sharedBy(owner string) placing { return func(p *record.Place) { p.OwnerID = owner } }
func inCampaign(uid string) placing { return func(p *record.Place) { p.CampaignUID = uid } }

// pay tells of money; the lane fills in what the order held.
func pay(order, payment string, fen int64) record.Entry {
	return entry(&record.Pay{OrderID: order, CampaignUID: "sale", PaymentID: payment, Fen: fen})
}

func cancel(order string) record.Entry {
	return entry(&record.Cancel{OrderID: order, CampaignUID: "sale"})
}

func settle() record.Entry { return entry(&record.Settle{CampaignUID: "sale"}) }

func entry(c record.Command) record.Entry { return record.Entry{Rules: ledger.FirstRules, Command: c} }

// opened is the beginning of most stories: the campaign sells these items from second 100 on.
func opened(items string, changes ...change) []record.Entry {
	return []record.Entry{want(1, items, changes...), allocate(1, items), tick(100)}
}

// apply takes the entries and tells what they did, one line an event.
func apply(t testing.TB, l *ledgertest.Lane, offset int64, entries ...record.Entry) []string {
	t.Helper()
	var log []string
	for i, e := range entries {
		events, err := l.Apply(offset+int64(i), e)
		if errors.Is(err, ledger.ErrMalformed) {
			log = append(log, "skipped")
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, event := range events {
			log = append(log, tell(event.Message))
		}
	}
	return log
}

// tell says an event in a few words.
func tell(m proto.Message) string {
	switch e := m.(type) {
	case *orderv1.OrderHeld:
		s := fmt.Sprintf("%s held:", e.GetOrderId())
		for _, line := range e.GetLines() {
			s += fmt.Sprintf(" %s%d", line.GetSku(), line.GetUnits())
		}
		return s + tellDropped(e.GetDropped()) + fmt.Sprintf(" for %d until %d", e.GetFen(), since(e.GetDeadline()))
	case *orderv1.OrderRefused:
		return fmt.Sprintf("%s refused: %s", e.GetOrderId(), e.GetReason()) + tellDropped(e.GetLines())
	case *orderv1.OrderReleased:
		return fmt.Sprintf("%s %s", e.GetOrderId(), strings.ToLower(strings.TrimPrefix(e.GetReason().String(), "REASON_")))
	case *orderv1.OrderConfirmed:
		s := fmt.Sprintf("%s confirmed", e.GetOrderId())
		if e.GetRevived() {
			s = fmt.Sprintf("%s revived", e.GetOrderId())
		}
		if e.GetOwnerId() == "" {
			s += ", nobody earns"
		}
		return s
	case *orderv1.PaymentUnwanted:
		return fmt.Sprintf("%s unwanted: %s", e.GetPaymentId(), e.GetReason())
	case *orderv1.CampaignOpened:
		return fmt.Sprintf("opened at %d", since(e.GetAt()))
	case *orderv1.CampaignClosed:
		return fmt.Sprintf("closed at %d", since(e.GetAt()))
	case *orderv1.StockLetGo:
		s := "let go:"
		for _, u := range e.GetUnits() {
			s += fmt.Sprintf(" %s%d", u.GetSku(), u.GetUnits())
		}
		if e.GetDrained() {
			s += " drained"
		}
		return s
	case *orderv1.CampaignRetired:
		return "retired"
	default:
		return fmt.Sprintf("%T", m)
	}
}

func tellDropped(lines []*orderv1.RefusedLine) string {
	s := ""
	for _, line := range lines {
		s += fmt.Sprintf(" (%s%d %s, %d left)", line.GetSku(), line.GetUnits(), line.GetReason(), line.GetLeftUnits())
	}
	return s
}

func since(at *timestamppb.Timestamp) int {
	if at.AsTime().Before(zero) {
		return -1
	}
	return int(at.AsTime().Sub(zero) / time.Second)
}
