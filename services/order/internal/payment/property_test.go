package payment

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	fulfilmentv1 "github.com/qingcang/qingcang/proto/gen/fulfilment/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/internal/book"
	"github.com/qingcang/qingcang/services/internal/money"
)

// splitAddsUp checks that what the order's parties have, and what went or goes
// back, is what was paid.
func (w *world) splitAddsUp() {
	w.t.Helper()
	o := w.order()
	var back money.Fen
	for _, r := range o.Refunds {
		back += r.Fen
	}
	for _, stray := range o.Strays {
		back -= stray.Fen
	}
	parties := -w.book.Of(BrandPayable) - w.book.Of(OwnerCommission) - w.book.Of(PlatformRevenue)
	if o.Verdict == Paid && parties+back != o.Receipt.Fen {
		w.t.Fatalf("parties have %s and %s goes back of %s after %v", parties, back, o.Receipt.Fen, w.told)
	}
	for _, class := range []book.Class{BrandPayable, OwnerCommission, PlatformRevenue} {
		if w.book.Of(class) > 0 {
			w.t.Fatalf("%s is owed to us after %v", class, w.told)
		}
	}
	for _, l := range o.Sale.Lines {
		if l.Kept() < 0 || l.Kept() > l.Units {
			w.t.Fatalf("%d of %d units are kept after %v", l.Kept(), l.Units, w.told)
		}
	}
}

// drawSale draws a sale whose terms the campaign's admission would let through.
func drawSale(t *rapid.T) (*orderv1.OrderConfirmed, money.Fen) {
	f := &orderv1.OrderConfirmed{
		OrderId: orderID, CampaignUid: campaign, BrandId: "brand_1", BuyerId: "per_b",
		OwnerId:       rapid.SampledFrom([]string{"", "per_o"}).Draw(t, "owner"),
		CommissionBps: rapid.Int32Range(0, 5_000).Draw(t, "bps"),
	}
	var total money.Fen
	for i := range rapid.IntRange(1, 4).Draw(t, "lines") {
		price := rapid.Int64Range(2, 100_000).Draw(t, "price")
		l := &orderv1.ConfirmedLine{
			Sku: "sku" + strconv.Itoa(i), Units: rapid.Int64Range(1, 7).Draw(t, "units"), PriceFen: price,
			SettlementFen: rapid.Int64Range(0, price/2).Draw(t, "settlement"),
		}
		total += money.Fen(l.GetPriceFen() * l.GetUnits())
		f.Lines = append(f.Lines, l)
	}
	return f, total
}

// drawFacts draws what may happen to the sale, more than can be true.
func drawFacts(t *rapid.T, sale *orderv1.OrderConfirmed) []Fact {
	parcel := &fulfilmentv1.ParcelShipped{ShippingOrderId: "ship_1", OrderId: orderID}
	for _, l := range sale.GetLines() {
		lack := rapid.Int64Range(0, l.GetUnits()).Draw(t, "lack")
		parcel.Lines = append(parcel.Lines, &fulfilmentv1.ShippedLine{Sku: l.GetSku(), Num: l.GetUnits(), Realnum: l.GetUnits() - lack, Lacknum: lack})
	}
	facts := []Fact{sale, released(), parcel, windowClosed()}
	for i := range rapid.IntRange(0, 12).Draw(t, "returns") {
		l := rapid.SampledFrom(sale.GetLines()).Draw(t, "line")
		facts = append(facts, returned("ret_"+strconv.Itoa(i), l.GetSku(), 1))
	}
	return facts
}

func TestInAnyOrderTheSplitAddsUpAndTheClearingAccountsDrain(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		sale, total := drawSale(rt)
		facts := drawFacts(rt, sale)
		steps := make([]func(), 0, 2*len(facts)+4)
		for _, f := range facts {
			steps = append(steps, func() { w.hear(f) })
			if rapid.Bool().Draw(rt, "again") {
				steps = append(steps, func() { w.hear(f) })
			}
		}
		received := func() { w.take(Receive(w.order(), Receipt{TransactionID: "tx1", Fen: total}, w.now)) }
		steps = append(steps, received, received, w.settle, w.settle)

		h := held()
		h.Fen = total
		w.take(RequestPrepay(w.order(), h, w.now))
		for _, step := range rapid.Permutation(steps).Draw(rt, "order") {
			step()
			w.splitAddsUp()
		}
		w.settle()
		w.splitAddsUp()
		if open := Table.InTransit(w.book); len(open) != 0 {
			rt.Fatalf("in transit at the end: %v after %v", open, w.told)
		}
		if w.order().Open() || !w.order().Final() {
			rt.Fatalf("open %v, final %v after %v", w.order().Open(), w.order().Final(), w.told)
		}
	})
}

func TestUnitByUnitGivesBackWhatAtOnceGivesBack(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		sale, total := drawSale(rt)
		books := [2]book.Balances{}
		for i, atOnce := range []bool{true, false} {
			w := newWorld(t)
			h := held()
			h.Fen = total
			w.take(RequestPrepay(w.order(), h, w.now))
			w.take(Receive(w.order(), Receipt{TransactionID: "tx1", Fen: total}, w.now))
			w.hear(sale)
			for _, l := range sale.GetLines() {
				if atOnce {
					w.hear(returned("ret_"+l.GetSku(), l.GetSku(), l.GetUnits()))
					continue
				}
				for n := range l.GetUnits() {
					w.hear(returned(fmt.Sprintf("ret_%s_%d", l.GetSku(), n), l.GetSku(), 1))
				}
			}
			if !w.order().Final() {
				rt.Fatal("an order that came back whole is not final")
			}
			w.settle()
			books[i] = w.book
		}
		for _, b := range books {
			if len(b) != 0 {
				rt.Fatalf("left in the books: %v", b)
			}
		}
	})
}

// TestALatePaymentHasOneResult goes through every order of every choice of six
// things that can happen around the end of a hold.
func TestALatePaymentHasOneResult(t *testing.T) {
	events := map[string]func(*world){
		"released":     hears(released()),
		"closed":       closing,
		"received":     receive("tx1", 13_999),
		"second":       receive("tx2", 13_999),
		"wrong amount": receive("tx3", 1),
		"confirmed":    hears(confirmed()),
		"unwanted":     hears(unwanted("sold_out")),
	}
	names := []string{"released", "closed", "received", "second", "wrong amount", "confirmed", "unwanted"}
	count := 0
	var walk func(path []string)
	walk = func(path []string) {
		if len(path) > 0 {
			count++
			checkLatePayment(t, events, path)
		}
		if len(path) == 6 {
			return
		}
		for _, name := range names {
			if !slices.Contains(path, name) {
				walk(append(path[:len(path):len(path)], name))
			}
		}
	}
	walk(nil)
	if want := 7 + 7*6 + 7*6*5 + 7*6*5*4 + 7*6*5*4*3 + 7*6*5*4*3*2; count != want {
		t.Fatalf("%d stories, want %d", count, want)
	}
}

func checkLatePayment(t *testing.T, events map[string]func(*world), path []string) {
	t.Helper()
	w := newWorld(t)
	request(w)
	create(w)
	for _, name := range path {
		events[name](w)
		events[name](w) // whatever comes, comes twice
	}
	o := w.order()
	money := slices.Contains(path, "received") || slices.Contains(path, "second")
	answered := slices.Contains(path, "confirmed") || slices.Contains(path, "unwanted")
	wantVerdict := Verdict("")
	if money && answered {
		wantVerdict = firstAnswer(path)
	}
	if o.Verdict != wantVerdict {
		t.Fatalf("%v: verdict %q, want %q; told %q", path, o.Verdict, wantVerdict, w.told)
	}
	w.settle()
	kept := w.book.Of(Cash)
	switch {
	case o.Verdict == Paid && kept != 13_999, o.Verdict == Unwanted && kept != 0:
		t.Fatalf("%v: %s kept under verdict %q; told %q", path, kept, o.Verdict, w.told)
	case o.Verdict == "" && kept != -w.book.Of(PaymentInTransit):
		t.Fatalf("%v: %s kept without a verdict; told %q", path, kept, w.told)
	}
	if waiting := money && !answered; !waiting && len(Table.InTransit(w.book)) != 0 {
		t.Fatalf("%v: in transit %v; told %q", path, Table.InTransit(w.book), w.told)
	}
}

// firstAnswer is the lane's first word, which stands.
func firstAnswer(path []string) Verdict {
	for _, name := range path {
		switch name {
		case "confirmed":
			return Paid
		case "unwanted":
			return Unwanted
		}
	}
	return ""
}
