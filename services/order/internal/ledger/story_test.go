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
	lanev1 "github.com/qingcang/qingcang/proto/gen/lane/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
)

// The world of the stories: one campaign "sale" of the brand "brd", from
// second 100 to second 1000, holds last 60 s. Prices are 100 fen, of which the
// brand gets 70.
var zero = time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC)

func second(n int) *timestamppb.Timestamp {
	return timestamppb.New(zero.Add(time.Duration(n) * time.Second))
}

type change func(*campaignv1.Desired)

func want(generation int64, items string, changes ...change) *lanev1.Entry {
	d := &campaignv1.Desired{
		Uid: "sale", Generation: generation, BrandId: "brd", CommissionBps: 1000,
		StartAt: second(100), EndAt: second(1000), HoldSeconds: 60,
		ReturnWindow: &campaignv1.ReturnWindow{Seconds: 7, From: campaignv1.ReturnWindow_FROM_SIGNING},
	}
	for _, u := range units(items) {
		d.Items = append(d.Items, &campaignv1.Item{Sku: u.GetSku(), Units: u.GetUnits(), PriceFen: 100, SettlementFen: 70})
	}
	for _, change := range changes {
		change(d)
	}
	return &lanev1.Entry{Rules: ledger.Rules, Command: &lanev1.Entry_Want{Want: &lanev1.Want{Desired: d}}}
}

func limit(n int64) change { return func(d *campaignv1.Desired) { d.BuyerLimitUnits = n } }
func ends(s int) change    { return func(d *campaignv1.Desired) { d.EndAt = second(s) } }
func starts(s int) change  { return func(d *campaignv1.Desired) { d.StartAt = second(s) } }
func suspended() change    { return func(d *campaignv1.Desired) { d.Suspended = true } }
func closedNow() change    { return func(d *campaignv1.Desired) { d.Closed = true } }
func price(fen int64) change {
	return func(d *campaignv1.Desired) {
		for _, item := range d.GetItems() {
			item.PriceFen = fen
		}
	}
}

// units reads "a3 b2".
func units(text string) []*lanev1.Units {
	var us []*lanev1.Units
	for _, word := range strings.Fields(text) {
		var n int64
		if _, err := fmt.Sscan(word[1:], &n); err != nil {
			panic(err)
		}
		us = append(us, &lanev1.Units{Sku: word[:1], Units: n})
	}
	return us
}

func allocate(generation int64, items string) *lanev1.Entry {
	return &lanev1.Entry{Rules: ledger.Rules, Command: &lanev1.Entry_Allocate{Allocate: &lanev1.Allocate{
		CampaignUid: "sale", Generation: generation, Add: units(items)}}}
}

func topUp(number, generation int64, items string) *lanev1.Entry {
	e := allocate(generation, items)
	e.GetAllocate().TopUp = number
	return e
}

func poolRefuses(generation int64) *lanev1.Entry {
	return &lanev1.Entry{Rules: ledger.Rules, Command: &lanev1.Entry_Allocate{Allocate: &lanev1.Allocate{
		CampaignUid: "sale", Generation: generation, RefusedReason: "NotEnoughStock", RefusedMessage: "ask for less"}}}
}

func tick(s int) *lanev1.Entry {
	return &lanev1.Entry{Rules: ledger.Rules, Command: &lanev1.Entry_Tick{Tick: &lanev1.Tick{At: second(s)}}}
}

type placing func(*lanev1.Place)

// place asks for lines as "order buyer".
func place(order, buyer, lines string, changes ...placing) *lanev1.Entry {
	p := &lanev1.Place{OrderId: order, CampaignUid: "sale", BuyerId: buyer, OwnerId: "owner", AddressId: "addr", Lines: units(lines), BodyHash: 1}
	for _, change := range changes {
		change(p)
	}
	return &lanev1.Entry{Rules: ledger.Rules, Command: &lanev1.Entry_Place{Place: p}}
}

func takeWhatFits(p *lanev1.Place)  { p.TakeWhatFits = true }
func otherBody(p *lanev1.Place)     { p.BodyHash = 2 }
func sharedBy(owner string) placing { return func(p *lanev1.Place) { p.OwnerId = owner } }
func inCampaign(uid string) placing { return func(p *lanev1.Place) { p.CampaignUid = uid } }

func pay(order, payment string, fen int64) *lanev1.Entry {
	return &lanev1.Entry{Rules: ledger.Rules, Command: &lanev1.Entry_Pay{Pay: &lanev1.Pay{
		OrderId: order, CampaignUid: "sale", PaymentId: payment, Fen: fen}}}
}

func cancel(order string) *lanev1.Entry {
	return &lanev1.Entry{Rules: ledger.Rules, Command: &lanev1.Entry_Cancel{Cancel: &lanev1.Cancel{OrderId: order, CampaignUid: "sale"}}}
}

func settle() *lanev1.Entry {
	return &lanev1.Entry{Rules: ledger.Rules, Command: &lanev1.Entry_Settle{Settle: &lanev1.Settle{CampaignUid: "sale"}}}
}

// opened is the beginning of most stories: the campaign sells these items from second 100 on.
func opened(items string, changes ...change) []*lanev1.Entry {
	return []*lanev1.Entry{want(1, items, changes...), allocate(1, items), tick(100)}
}

// apply takes the entries and tells what they did, one line an event.
func apply(t testing.TB, l *ledger.Ledger, offset int64, entries ...*lanev1.Entry) []string {
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
