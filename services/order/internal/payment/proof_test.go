package payment

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	fulfilmentv1 "github.com/qingcang/qingcang/proto/gen/fulfilment/v1"
	moneyv1 "github.com/qingcang/qingcang/proto/gen/money/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/internal/book"
	"github.com/qingcang/qingcang/services/internal/money"
	"github.com/qingcang/qingcang/services/internal/proof"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
	"github.com/qingcang/qingcang/services/order/internal/ledger/ledgertest"
)

// till is one order's money as an auditor keeps it: he adds the legs up himself.
type till struct {
	*proof.Trial
	state  *Orders
	now    time.Time
	book   map[string]int64 // by account
	booked map[string]bool  // postings by id
	heard  []string

	everyFact, everyDecision func(*till) // judge what is booked
}

func newTill(t *proof.Trial, everyFact, everyDecision func(*till)) *till {
	return &till{
		Trial: t, state: NewOrders(), now: start, book: map[string]int64{}, booked: map[string]bool{},
		everyFact: everyFact, everyDecision: everyDecision,
	}
}

func nothing(*till) {}

func (w *till) order() *Order { return w.state.Order(orderID) }

// take journals what was decided, fact by fact; each is a prefix of the book.
func (w *till) take(facts []Fact, err error) {
	if err != nil {
		w.Fatalf("refused: %v after %s", err, strings.Join(w.heard, ", "))
	}
	for _, f := range facts {
		w.state.Apply(f, w.now)
		w.heard = append(w.heard, tell(f))
		if p, ok := f.(interface{ GetPosting() *moneyv1.Posting }); ok && p.GetPosting() != nil {
			w.add(p.GetPosting())
		}
		w.everyFact(w)
	}
	w.everyDecision(w)
}

func (w *till) add(p *moneyv1.Posting) {
	if w.booked[p.GetId()] {
		w.Fatalf("posting %s is booked twice after %s", p.GetId(), strings.Join(w.heard, ", "))
	}
	w.booked[p.GetId()] = true
	var sum int64
	for _, leg := range p.GetLegs() {
		sum += leg.GetFen()
		w.book[leg.GetAccount()] += leg.GetFen()
	}
	if sum != 0 {
		w.Fatalf("the legs of %s add up to %d", p.GetId(), sum)
	}
}

func (w *till) of(class book.Class) (sum int64) {
	for account, fen := range w.book {
		if book.ClassOf(account) == class {
			sum += fen
		}
	}
	return sum
}

// bookIsSound: the whole adds up to zero, what we have is not negative, and what
// we owe, earned or have in transit is never owed to us.
func (w *till) bookIsSound() {
	var sum int64
	for account, fen := range w.book {
		sum += fen
		asset := Table[book.ClassOf(account)].Nature == book.Asset
		if asset && fen < 0 || !asset && fen > 0 {
			w.Fatalf("%s is at %d after %s", account, fen, strings.Join(w.heard, ", "))
		}
	}
	if sum != 0 {
		w.Fatalf("the book adds up to %d after %s", sum, strings.Join(w.heard, ", "))
	}
}

// splitIsExact: each party has what the contract gives it for the units that are
// kept, and brand + owner + platform + refund = paid.
func (w *till) splitIsExact() {
	o := w.order()
	if o.Verdict != Paid {
		return
	}
	var brand, owner, platform int64
	for _, l := range o.Sale.Lines {
		total := int64(l.Price) * l.Kept()
		forBrand, forOwner := int64(l.Settlement)*l.Kept(), int64(0)
		if o.Sale.OwnerID != "" {
			forOwner = total * int64(o.Sale.Commission) / 10_000
		}
		brand, owner, platform = brand+forBrand, owner+forOwner, platform+total-forBrand-forOwner
	}
	if -w.of(BrandPayable) != brand || -w.of(OwnerCommission) != owner || -w.of(PlatformRevenue) != platform {
		w.Fatalf("the parties have %d, %d and %d, and should have %d, %d and %d after %s", -w.of(BrandPayable), -w.of(OwnerCommission),
			-w.of(PlatformRevenue), brand, owner, platform, strings.Join(w.heard, ", "))
	}
	var refunds int64
	for _, r := range o.Refunds {
		if r.Of.TransactionID == o.Receipt.TransactionID {
			refunds += int64(r.Fen)
		}
	}
	if brand+owner+platform+refunds != int64(o.Receipt.Fen) {
		w.Fatalf("%d + %d + %d and %d refunded of %d after %s", brand, owner, platform, refunds, o.Receipt.Fen, strings.Join(w.heard, ", "))
	}
}

// life plays one order's money from the prepay to the end: notices repeated, for
// wrong amounts and for second payments, parcels short, returns in pieces, refunds
// that the provider closes, calls abnormal or refuses and finance sees to, all of
// it repeated and in any order. At the end nothing is in transit.
func life(t *proof.Trial, everyFact, everyDecision func(*till)) {
	w := newTill(t, everyFact, everyDecision)
	sale, total := randomSale(t)
	h := held()
	h.Fen = total
	w.take(RequestPrepay(w.order(), h, w.now))

	notice := func(transaction string, fen money.Fen) func() {
		return func() { w.take(Receive(w.order(), Receipt{TransactionID: transaction, Fen: fen}, w.now)) }
	}
	troubled := func() {
		for _, r := range slices.Clone(w.order().Refunds) {
			w.trouble(r)
		}
	}
	settle := func() {
		for _, r := range slices.Clone(w.order().Refunds) {
			if r.Stage == RefundWithFinance {
				w.take(ResolveRefund(w.order(), r.ID, Resolution{How: Retried, Reference: "retried"}, w.now))
				r, _ = w.order().refund(r.ID)
			}
			w.take(RecordRefund(w.order(), backs(r), w.now))
		}
	}
	once := []func(){notice("tx1", total)}
	if t.Chance(4) {
		once = append(once, notice("tx2", total))
	}
	if t.Chance(4) {
		once = append(once, notice("tx3", total+1))
	}
	for _, f := range randomFacts(t, sale) {
		once = append(once, func() { w.take(Hear(w.order(), f, w.now)) })
	}
	steps := slices.Clone(once)
	for _, step := range once {
		for t.Chance(2) {
			steps = append(steps, step)
		}
	}
	steps = append(steps, troubled, troubled, troubled, troubled, settle)
	t.Shuffle(len(steps), func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
	for _, step := range steps {
		step()
	}
	settle()
	settle()
	if transit := w.of(PaymentInTransit) != 0 || w.of(RefundInTransit) != 0; transit || w.order().Open() {
		t.Fatalf("in transit at the end: %v after %s", w.book, strings.Join(w.heard, ", "))
	}
}

// trouble lets the provider say anything of a refund, and finance see to it.
func (w *till) trouble(r Refund) {
	states := []RefundState{RefundProcessing, RefundMade, RefundClosed, RefundAbnormal, RefundRefused}
	a := RefundAnswer{Number: r.Number(), State: states[w.IntN(len(states))], Fen: r.Fen, AcceptedAt: w.now}
	if r.Stage != RefundWithFinance || r.Trouble == TroubleAbnormal { // else the provider does not know the number
		w.take(RecordRefund(w.order(), a, w.now))
	}
	if r, _ = w.order().refund(r.ID); r.Stage == RefundWithFinance && w.Chance(2) {
		how := []How{Retried, PaidElsewhere}[w.IntN(2)]
		w.take(ResolveRefund(w.order(), r.ID, Resolution{How: how, Reference: "case"}, w.now))
	}
}

func randomSale(t *proof.Trial) (*orderv1.OrderConfirmed, money.Fen) {
	f := &orderv1.OrderConfirmed{
		OrderId: orderID, CampaignUid: campaign, BrandId: "brand_1", BuyerId: "per_b",
		OwnerId: []string{"per_o", "per_o", ""}[t.IntN(3)], CommissionBps: t.Int32N(5_001),
	}
	var total money.Fen
	for i := range 1 + t.IntN(4) {
		price := 2 + t.Int64N(100_000)
		l := &orderv1.ConfirmedLine{Sku: "sku" + strconv.Itoa(i), Units: 1 + t.Int64N(7), PriceFen: price, SettlementFen: t.Int64N(price/2 + 1)}
		total += money.Fen(l.GetPriceFen() * l.GetUnits())
		f.Lines = append(f.Lines, l)
	}
	return f, total
}

// randomFacts are what lane and fulfilment say of the sale, or of the payment if
// the lane has no use for it.
func randomFacts(t *proof.Trial, sale *orderv1.OrderConfirmed) []Fact {
	if t.Chance(8) {
		return []Fact{unwanted("sold_out"), released()}
	}
	parcel := &fulfilmentv1.ParcelShipped{ShippingOrderId: "ship_1", OrderId: orderID}
	for _, l := range sale.GetLines() {
		lack := max(0, t.Int64N(2*l.GetUnits())-l.GetUnits())
		parcel.Lines = append(parcel.Lines, &fulfilmentv1.ShippedLine{Sku: l.GetSku(), Num: l.GetUnits(), Realnum: l.GetUnits() - lack, Lacknum: lack})
	}
	facts := []Fact{sale, released(), parcel, windowClosed()}
	for i := range t.IntN(8) {
		facts = append(facts, returned("ret_"+strconv.Itoa(i), sale.GetLines()[t.IntN(len(sale.GetLines()))].GetSku(), 1+t.Int64N(2)))
	}
	return facts
}

// TestProofLegsAddUp is row 6 for the order's book: a trial is all postings of an order.
func TestProofLegsAddUp(t *testing.T) {
	proof.Random(t, "6", proof.Trials{CI: 20_000, Full: 1_000_000}, func(t *proof.Trial) {
		life(t, (*till).bookIsSound, nothing)
	})
}

// TestProofTheSplitIsExact is row 8.
func TestProofTheSplitIsExact(t *testing.T) {
	proof.Random(t, "8", proof.Trials{CI: 10_000, Full: 1_000_000}, func(t *proof.Trial) {
		life(t, nothing, (*till).splitIsExact)
	})
}

// counter is an order between its lane and its money: the real ledger with one
// unit that ann holds and pays for, the real payment decisions, and between them
// what is said and not yet heard.
type counter struct {
	*till
	lane  *ledgertest.Lane
	said  []Fact        // by the lane, not heard by the journal
	toPay []*record.Pay // by the journal, not heard by the lane
	clock time.Time
	paid  map[string]bool // transactions
}

// what can happen at the counter.
var happenings = []struct {
	name string
	do   func(*counter)
}{
	{"ann pays", func(c *counter) { c.notice("tx1") }},
	{"ann pays again", func(c *counter) { c.notice("tx2") }},
	{"the lane hears of the payment", func(c *counter) { c.hearPay() }},
	{"the journal hears of the lane", func(c *counter) { c.hearLane() }},
	{"the hold expires", func(c *counter) { c.tick(61 * time.Second) }},
	{"ann cancels", func(c *counter) {
		c.entry(&record.Cancel{OrderID: orderID, CampaignUID: campaign})
	}},
	{"bob orders", func(c *counter) { c.place("ord_2", "per_2") }},
	{"the provider is asked and the prepay ended", func(c *counter) {
		if len(c.paid) == 0 { // else it says that money came
			c.take(ClosePrepay(c.order(), c.clock))
		}
	}},
	{"the sale ends", func(c *counter) { c.tick(time.Hour) }},
}

func openCounter(t *proof.Trial) *counter {
	c := &counter{till: newTill(t, (*till).bookIsSound, nothing), lane: ledgertest.New(), clock: start, paid: map[string]bool{}}
	desired := &campaignv1.Desired{
		Uid: campaign, Generation: 1, BrandId: "brand_1", CommissionBps: 1_000, HoldSeconds: 60,
		StartAt: timestamppb.New(start), EndAt: timestamppb.New(start.Add(time.Hour)),
		Items: []*campaignv1.Item{{Sku: "A", Units: 1, PriceFen: 6_000, SettlementFen: 4_000}},
	}
	c.entry(&record.Want{Desired: desired})
	c.entry(&record.Allocate{
		CampaignUID: campaign, Generation: 1, Add: []record.Units{{SKU: "A", Units: 1}}})
	c.tick(0)
	c.place(orderID, "per_b")
	o, _ := c.lane.Order(orderID)
	c.take(RequestPrepay(c.order(), Held{CampaignUID: campaign, BuyerID: "per_b", Fen: o.Fen, Deadline: o.Deadline}, c.clock))
	return c
}

func (c *counter) entry(command record.Command) {
	events, err := c.lane.Take(command)
	if err != nil {
		c.Fatal(err)
	}
	for _, event := range events {
		if Subject(event.Message) == orderID {
			c.said = append(c.said, event.Message)
		}
	}
}

func (c *counter) tick(d time.Duration) {
	c.clock = c.clock.Add(d)
	c.entry(&record.Tick{At: c.clock.UnixMilli()})
}

func (c *counter) place(order, buyer string) {
	c.entry(&record.Place{
		OrderID: order, CampaignUID: campaign, BuyerID: buyer, OwnerID: "per_o", Lines: []record.Units{{SKU: "A", Units: 1}}})
}

// notice takes money that was paid; a prepay that was ended takes none.
func (c *counter) notice(transaction string) {
	if c.order().Prepay.Stage == PrepayClosed {
		return
	}
	c.paid[transaction] = true
	c.take(Receive(c.order(), Receipt{TransactionID: transaction, Fen: 6_000}, c.clock))
	if o := c.order(); o.undecided() {
		c.toPay = append(c.toPay, &record.Pay{OrderID: orderID, CampaignUID: campaign, PaymentID: PaymentID(orderID), Fen: int64(o.Receipt.Fen)})
	}
}

func (c *counter) hearPay() {
	if len(c.toPay) > 0 {
		c.entry(c.toPay[0])
		c.toPay = c.toPay[1:]
	}
}

func (c *counter) hearLane() {
	if len(c.said) > 0 {
		c.take(Hear(c.order(), c.said[0], c.clock))
		c.said = c.said[1:]
	}
}

// close lets all that was said be heard and all refunds settle, and judges: the
// money bought the unit, or all of it went back, and never both.
func (c *counter) close() {
	for len(c.toPay)+len(c.said) > 0 {
		c.hearPay()
		c.hearLane()
	}
	for _, r := range slices.Clone(c.order().Refunds) {
		c.take(RecordRefund(c.order(), backs(r), c.clock))
	}
	o, _ := c.lane.Order(orderID)
	sold, kept := o.State == ledger.Confirmed, c.of(Cash)
	switch {
	case sold != (c.order().Verdict == Paid):
		c.Fatalf("the lane says %s and the journal %q after %s", o.State, c.order().Verdict, strings.Join(c.heard, ", "))
	case sold && kept != 6_000, !sold && kept != 0:
		c.Fatalf("%d fen are kept of an order that is %s after %s", kept, o.State, strings.Join(c.heard, ", "))
	case c.of(PaymentInTransit) != 0 || c.of(RefundInTransit) != 0:
		c.Fatalf("in transit: %v after %s", c.book, strings.Join(c.heard, ", "))
	}
}

// TestProofLaneAndMoneyAgree is row 9 from end to end: all interleavings of six
// events around a hold and its payment.
func TestProofLaneAndMoneyAgree(t *testing.T) {
	proof.Exhaustive(t, "9", func(try func(func(*proof.Trial)) bool) {
		var walk func(path []int) bool
		walk = func(path []int) bool {
			if len(path) == 6 {
				return try(func(t *proof.Trial) {
					c := openCounter(t)
					for _, n := range path {
						c.heard = append(c.heard, happenings[n].name)
						happenings[n].do(c)
					}
					c.close()
				})
			}
			for n := range happenings {
				if !walk(append(path[:len(path):len(path)], n)) {
					return false
				}
			}
			return true
		}
		walk(nil)
	})
}
