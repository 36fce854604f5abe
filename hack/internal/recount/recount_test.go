package recount

import (
	"maps"
	"reflect"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/qingcang/qingcang/hack/internal/lanelog"
	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	moneyv1 "github.com/qingcang/qingcang/proto/gen/money/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	ownerv1 "github.com/qingcang/qingcang/proto/gen/owner/v1"
)

const laneName = "lanes.shared.v1/0"

// world is a small run by hand: a brand gives 5 units at ¥10 (settlement ¥7, commission 10%) to a
// campaign. Order 1 takes 3 through an owner's link and sends 1 back. Order 2 asks for 3 more and is
// told sold out. Order 3 takes 2 through nobody's link. One person pays the fee.
type world struct {
	lane                 Lane
	orders, owner, brand []proto.Message
	intentions           map[string]int
}

func (w *world) entry(command any, decisions ...proto.Message) {
	offset := int64(len(w.lane.Entries))
	w.lane.Entries = append(w.lane.Entries, Entry{Offset: offset, Command: command})
	for _, d := range decisions {
		w.lane.Decisions = append(w.lane.Decisions, Decision{Offset: offset, Fact: d})
	}
}

func (w *world) log() Log {
	return Log{
		Lanes:    map[string]Lane{laneName: w.lane},
		Journals: map[string]Journal{OrderBook: {w.orders}, OwnerBook: {w.owner}, BrandBook: {w.brand}},
	}
}

func posting(id string, legs ...any) *moneyv1.Posting {
	p := &moneyv1.Posting{Id: id}
	for i := 0; i < len(legs); i += 2 {
		p.Legs = append(p.Legs, &moneyv1.Leg{Account: legs[i].(string), Fen: int64(legs[i+1].(int))})
	}
	return p
}

func place(id string, units int64) lanelog.Place {
	return lanelog.Place{
		Order: id, Campaign: "c", Buyer: "m" + id, Address: "a" + id, TakeWhatFits: true, Lines: []lanelog.Line{{SKU: "A", Units: units}},
	}
}

func pay(id, owner string, units int64) lanelog.Pay {
	return lanelog.Pay{
		Order: id, Campaign: "c", Payment: "pay" + id, Buyer: "m" + id, Owner: owner, Address: "a" + id,
		Lines: []lanelog.Line{{SKU: "A", Units: units}},
	}
}

func held(id, owner string, units int64) *orderv1.OrderHeld {
	return &orderv1.OrderHeld{
		OrderId: id, CampaignUid: "c", BrandId: "b", BuyerId: "m" + id, OwnerId: owner, Fen: units * 1000,
		Lines: []*orderv1.HeldLine{{Sku: "A", Units: units, PriceFen: 1000}},
	}
}

func confirmed(id, owner string, units int64) *orderv1.OrderConfirmed {
	return &orderv1.OrderConfirmed{
		OrderId: id, CampaignUid: "c", BrandId: "b", BuyerId: "m" + id, OwnerId: owner, AddressId: "a" + id, PaymentId: "pay" + id, CommissionBps: 1000,
		Lines: []*orderv1.ConfirmedLine{{Sku: "A", Units: units, PriceFen: 1000, SettlementFen: 700}},
	}
}

func refusedAsSoldOut(id string, units, left int64) *orderv1.OrderRefused {
	return &orderv1.OrderRefused{
		OrderId: id, CampaignUid: "c", Reason: "sold_out",
		Lines: []*orderv1.RefusedLine{{Sku: "A", Units: units, Reason: "sold_out", LeftUnits: left}},
	}
}

func newWorld() *world {
	w := &world{intentions: map[string]int{"1": 1, "3": 3}}
	w.entry(lanelog.Want{Desired: &campaignv1.Desired{
		Uid: "c", Generation: 1, BrandId: "b", Items: []*campaignv1.Item{{Sku: "A", PriceFen: 1000, SettlementFen: 700, Units: 5}},
	}})
	w.entry(lanelog.Allocate{
		Campaign: "c", Generation: 1, Add: []lanelog.Line{{SKU: "A", Units: 5}},
	}, &orderv1.CampaignOpened{CampaignUid: "c"})
	w.entry(place("1", 3), held("1", "o", 3))
	w.entry(place("2", 3), refusedAsSoldOut("2", 3, 2))
	w.entry(place("1", 3)) // a repeat has no effect
	w.entry(place("3", 2), held("3", "", 2))
	w.entry(pay("1", "o", 3), confirmed("1", "o", 3))
	w.entry(pay("3", "", 2), confirmed("3", "", 2))

	w.brand = []proto.Message{
		&brandv1.SubmissionRowsTaken{SubmissionId: "s", BrandId: "b", Goods: []*brandv1.Goods{{Sku: "A", Units: 5}}},
		&brandv1.SubmissionApproved{SubmissionId: "s", BrandId: "b"},
		&brandv1.StockAllocated{CampaignUid: "c", Generation: 1, BrandId: "b", Add: []*brandv1.AllocatedUnits{{Sku: "A", Units: 5}}},
		&brandv1.SettlementPosted{BrandId: "b", Posting: posting("e1", "sale_proceeds", 2100, "brand_pending:b:c", -2100)},
		&brandv1.SettlementPosted{BrandId: "b", Posting: posting("e2", "sale_proceeds", 1400, "brand_pending:b:c", -1400)},
		&brandv1.SettlementPosted{BrandId: "b", Posting: posting("e3", "brand_pending:b:c", 700, "sale_proceeds", -700)},
	}
	w.owner = []proto.Message{
		&ownerv1.MembershipPaid{MembershipId: "m", Postings: []*moneyv1.Posting{
			posting("f1", "provider_cash", 39800, "payment_in_transit", -39800),
			posting("f2", "payment_in_transit", 39800, "membership_revenue", -39800),
		}},
		&ownerv1.CommissionAccrued{OrderId: "1", Posting: posting("a", "commission_due", 300, "commission_pending:o", -300)},
		// Theirs: kept until its order is known, and in the other book.
		&orderv1.LineReturned{OrderId: "1", Posting: posting("p5", "brand_payable:b:c", 700, "owner_commission:o:c", 100, "platform_revenue:c", 200, "refund_in_transit", -1000)},
		&ownerv1.CommissionReversed{OrderId: "1", Posting: posting("r", "commission_pending:o", 100, "commission_due", -100)},
	}
	w.orders = []proto.Message{
		&orderv1.PaymentReceived{OrderId: "1", PaymentId: "pay1", Posting: posting("p1", "provider_cash", 3000, "payment_in_transit", -3000)},
		&orderv1.OrderPaid{OrderId: "1", Posting: posting("p2", "payment_in_transit", 3000, "brand_payable:b:c", -2100, "owner_commission:o:c", -300, "platform_revenue:c", -600)},
		&orderv1.PaymentReceived{OrderId: "3", PaymentId: "pay3", Posting: posting("p3", "provider_cash", 2000, "payment_in_transit", -2000)},
		&orderv1.OrderPaid{OrderId: "3", Posting: posting("p4", "payment_in_transit", 2000, "brand_payable:b:c", -1400, "platform_revenue:c", -600)},
		&orderv1.LineReturned{
			OrderId: "1", Line: &orderv1.ReversedLine{Sku: "A", Units: 1},
			Posting: posting("p5", "brand_payable:b:c", 700, "owner_commission:o:c", 100, "platform_revenue:c", 200, "refund_in_transit", -1000),
		},
		&orderv1.RefundSettled{OrderId: "1", Posting: posting("p6", "refund_in_transit", 1000, "provider_cash", -1000)},
	}
	return w
}

func TestACleanRunAddsUp(t *testing.T) {
	w := newWorld()
	got := Count(w.log(), w.intentions)
	want := &Result{
		OrdersPlaced: 3, OrdersAccepted: 2, LinesAccepted: 2, LinesRefused: map[string]int64{"sold_out": 1},
		UnitsOffered: 5, UnitsSold: 5, UnitsReturned: 1, MembershipFeeFen: 39800,
		SalesFen: 5000, RefundFen: 1000, CommissionFen: 200, BrandPayableFen: 2800, PlatformFen: 1000,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("want %+v\ngot  %+v", want, got)
	}
}

// Units that were let go and given again come a second time for one generation.
func TestATopUpIsNoFault(t *testing.T) {
	w := newWorld()
	w.entry(lanelog.Allocate{
		Campaign: "c", Generation: 1, TopUp: 1, Add: []lanelog.Line{{SKU: "A", Units: 2}},
	}, &orderv1.StockLetGo{CampaignUid: "c", BrandId: "b", Units: []*orderv1.LetGoUnits{{Sku: "A", Units: 2}}})
	w.brand = append(w.brand,
		&brandv1.SubmissionRowsTaken{SubmissionId: "s2", BrandId: "b", Goods: []*brandv1.Goods{{Sku: "A", Units: 2}}},
		&brandv1.SubmissionApproved{SubmissionId: "s2", BrandId: "b"},
		&brandv1.StockAllocated{CampaignUid: "c", Generation: 1, TopUp: 1, BrandId: "b", Add: []*brandv1.AllocatedUnits{{Sku: "A", Units: 2}}},
		&brandv1.StockReleased{CampaignUid: "c", BrandId: "b", Units: []*brandv1.AllocatedUnits{{Sku: "A", Units: 2}}},
	)
	got := Count(w.log(), w.intentions)
	if got.UnitsOffered != 7 || got.OversoldUnits != 0 || !got.Clean() {
		t.Errorf("%d units offered, %d oversold, faults %v; want 7, 0 and none", got.UnitsOffered, got.OversoldUnits, got.Faults)
	}
}

// A lane that has settled a campaign knows no order of it, and a payment of an order that was refused
// has nothing to carry.
func TestAPaymentThatCarriesNothingIsNoFault(t *testing.T) {
	w := newWorld()
	w.entry(lanelog.Pay{Order: "2", Campaign: "c", Payment: "pay2"}, &orderv1.PaymentUnwanted{OrderId: "2", CampaignUid: "c", PaymentId: "pay2"})
	w.entry(lanelog.Settle{Campaign: "c"})
	w.entry(lanelog.Pay{Order: "1", Campaign: "c", Payment: "late"}, &orderv1.PaymentUnwanted{OrderId: "1", CampaignUid: "c", PaymentId: "late"})
	if got := Count(w.log(), w.intentions); !got.Clean() {
		t.Errorf("faults %v, want none", got.Faults)
	}
}

func TestARefusalForParkedStockIsCounted(t *testing.T) {
	w := newWorld()
	w.entry(place("7", 1), &orderv1.OrderRefused{OrderId: "7", CampaignUid: "c", Reason: "over_hold"})
	if got := Count(w.log(), w.intentions); got.LinesRefused["over_hold"] != 1 || !got.Clean() {
		t.Errorf("lines refused %v, faults %v; want one as over_hold and none", got.LinesRefused, got.Faults)
	}
}

// faults is for what no figure shows.
func faults(r *Result) int64 { return int64(len(r.Faults)) }

func TestPlantedFaultsAreFound(t *testing.T) {
	tests := map[string]struct {
		plant  func(*world)
		figure func(*Result) int64
		want   int64
	}{
		"a unit that is not there is sold": {func(w *world) {
			w.entry(place("4", 1), held("4", "", 1))
			w.intentions["4"] = 4
		}, func(r *Result) int64 { return r.OversoldUnits }, 1},
		"a lane has stock that no brand gave": {func(w *world) {
			w.entry(lanelog.Allocate{
				Campaign: "c", Generation: 2, Add: []lanelog.Line{{SKU: "A", Units: 4}},
			})
		}, func(r *Result) int64 { return r.OversoldUnits }, 4},
		"a brand gives more than it has": {func(w *world) {
			w.brand = append(w.brand, &brandv1.StockAllocated{CampaignUid: "d", Generation: 1, BrandId: "b", Add: []*brandv1.AllocatedUnits{{Sku: "A", Units: 2}}})
			w.entry(lanelog.Allocate{
				Campaign: "d", Generation: 1, Add: []lanelog.Line{{SKU: "A", Units: 2}},
			})
		}, func(r *Result) int64 { return r.OversoldUnits }, 2},
		"stock comes back to the pool that no lane let go": {func(w *world) {
			w.brand = append(w.brand, &brandv1.StockReleased{CampaignUid: "c", BrandId: "b", Units: []*brandv1.AllocatedUnits{{Sku: "A", Units: 3}}})
		}, func(r *Result) int64 { return r.OversoldUnits }, 3},
		"a line is refused that would have fitted": {func(w *world) {
			w.lane.Decisions[2].Fact = refusedAsSoldOut("2", 3, 2)
			w.lane.Entries[3].Command = place("2", 2)
			w.lane.Decisions[2].Fact.(*orderv1.OrderRefused).Lines[0].Units = 2
		}, func(r *Result) int64 { return r.WronglyRefusedLines }, 1},
		"goods that are offered are refused as not offered": {func(w *world) {
			w.lane.Decisions[2].Fact.(*orderv1.OrderRefused).Lines[0].Reason = "not_offered"
		}, func(r *Result) int64 { return r.WronglyRefusedLines }, 1},
		"an order takes effect again": {func(w *world) {
			w.entry(place("1", 0), held("1", "o", 0))
		}, func(r *Result) int64 { return min(r.DuplicateOrders, 1) }, 1},
		"a retry gets an order of its own": {func(w *world) {
			w.intentions["3"] = 1
		}, func(r *Result) int64 { return r.DuplicateOrders }, 1},
		"an order is accepted that no buyer knows of": {func(w *world) {
			delete(w.intentions, "3")
		}, func(r *Result) int64 { return r.DuplicateOrders }, 1},
		"an order is sold twice": {func(w *world) {
			w.entry(pay("3", "", 2), confirmed("3", "", 2))
		}, func(r *Result) int64 { return r.DuplicateOrders }, 1},
		"a payment is booked twice": {func(w *world) {
			w.orders = append(w.orders, w.orders[0])
		}, func(r *Result) int64 { return r.DuplicateOrders }, 1},
		"a posting does not add up": {func(w *world) {
			w.orders[3].(*orderv1.OrderPaid).Posting.Legs[0].Fen++
		}, func(r *Result) int64 { return r.LedgerSumFen }, 1},
		"two postings that do not add up do not hide each other": {func(w *world) {
			w.orders[0].(*orderv1.PaymentReceived).Posting.Legs[0].Fen++
			w.orders[2].(*orderv1.PaymentReceived).Posting.Legs[0].Fen--
		}, func(r *Result) int64 { return r.LedgerSumFen }, 2},
		"a commission is missing": {func(w *world) {
			w.owner = slices.Delete(w.owner, 1, 2)
		}, func(r *Result) int64 { return min(r.UnexplainedFen, 1) }, 1},
		"a commission is missing in both books": {func(w *world) {
			w.owner = slices.Delete(w.owner, 1, 4)
			w.orders[1].(*orderv1.OrderPaid).Posting = posting("p2", "payment_in_transit", 3000, "brand_payable:b:c", -2100, "platform_revenue:c", -900)
			w.orders[4].(*orderv1.LineReturned).Posting = posting("p5", "brand_payable:b:c", 700, "platform_revenue:c", 300, "refund_in_transit", -1000)
		}, func(r *Result) int64 { return r.UnexplainedFen }, 400}, // the owner's 200 stand with the platform
		"the brand's book missed a sale": {func(w *world) {
			w.brand = slices.Delete(w.brand, 4, 5)
		}, func(r *Result) int64 { return min(r.UnexplainedFen, 1) }, 1},
		"a refund never left": {func(w *world) {
			w.orders = w.orders[:5]
		}, func(r *Result) int64 { return r.UnexplainedFen }, 2000}, // in transit, and too much at the provider
		"money of a sale is not booked": {func(w *world) {
			w.orders = slices.Delete(w.orders, 3, 4)
		}, func(r *Result) int64 { return min(r.UnexplainedFen, 1) }, 1},
		"a posting is posted twice": {func(w *world) {
			w.brand = append(w.brand, w.brand[3], w.brand[5], w.brand[5], w.brand[5])
		}, func(r *Result) int64 { return min(r.UnexplainedFen, 1) }, 1},
		"the fee pays a commission": {func(w *world) {
			w.owner = append(w.owner, &ownerv1.CommissionAccrued{Posting: posting("x", "membership_revenue", 100, "commission_pending:o", -100)})
		}, func(r *Result) int64 { return min(r.UnexplainedFen, 1) }, 1},
		"goods are sold at a price that was never asked": {func(w *world) {
			w.lane.Decisions[5].Fact.(*orderv1.OrderConfirmed).Lines[0].PriceFen = 900
		}, func(r *Result) int64 { return min(r.UnexplainedFen, 1) }, 1},
		"an order has no answer": {func(w *world) {
			w.entry(place("5", 1))
		}, faults, 1},
		"a payment carries more than its order held": {func(w *world) {
			w.lane.Entries[6].Command = pay("1", "o", 4)
		}, faults, 1},
		"a payment carries another owner": {func(w *world) {
			w.lane.Entries[6].Command = pay("1", "someone", 3)
		}, faults, 1},
		"a payment is for another campaign": {func(w *world) {
			p := pay("1", "o", 3)
			p.Campaign = "d"
			w.lane.Entries[6].Command = p
		}, faults, 1},
		"a payment carries nothing and its order held units": {func(w *world) {
			w.lane.Entries[6].Command = lanelog.Pay{Order: "1", Campaign: "c", Payment: "pay1"}
		}, faults, 1},
		"a payment carries units and its order was refused": {func(w *world) {
			w.entry(pay("2", "", 3), &orderv1.PaymentUnwanted{OrderId: "2", CampaignUid: "c", PaymentId: "pay2"})
		}, faults, 1},
		"an order is sold for another address than it was placed with": {func(w *world) {
			w.lane.Decisions[4].Fact.(*orderv1.OrderConfirmed).AddressId = "elsewhere"
		}, faults, 1},
		"a refused order is decided again": {func(w *world) {
			w.entry(place("2", 3), refusedAsSoldOut("2", 3, 0))
		}, func(r *Result) int64 { return r.DuplicateOrders }, 1},
		"an accepted order is lost": {func(w *world) {
			w.intentions["6"] = 6
		}, faults, 1},
	}
	for _, name := range slices.Sorted(maps.Keys(tests)) {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			tests[name].plant(w)
			r := Count(w.log(), w.intentions)
			if got := tests[name].figure(r); got != tests[name].want || r.Clean() {
				t.Errorf("want %d, got %d; faults: %q", tests[name].want, got, r.Faults)
			}
		})
	}
}
