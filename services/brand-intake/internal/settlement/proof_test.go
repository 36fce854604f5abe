package settlement_test

import (
	"fmt"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/brand-intake/internal/settlement"
	"github.com/qingcang/qingcang/services/internal/book"
	"github.com/qingcang/qingcang/services/internal/proof"
)

// TestProofLegsAddUp is row 6 for the brands' book: the events of some orders, each
// order's in their order and all of them mixed, as the order service publishes
// them. What is pending or payable is what the brand's units that are kept cost.
func TestProofLegsAddUp(t *testing.T) {
	proof.Random(t, "6", proof.Trials{CI: 20_000, Full: 1_000_000}, func(t *proof.Trial) {
		balance := map[string]int64{}
		var kept int64
		for n, event := range mixed(t, 1+t.IntN(4)) {
			facts, err := settlement.Post(settlement.Cause{ID: fmt.Sprintf("order/1/%d/0", n), Event: event})
			if err != nil {
				t.Fatal(err)
			}
			for _, fact := range facts {
				post(t, balance, fact)
			}
			switch e := event.(type) {
			case *orderv1.OrderPaid:
				kept += brandFen(e.GetLines())
			case *orderv1.LineShort:
				kept -= e.GetLine().GetBrandFen()
			case *orderv1.LineReturned:
				kept -= e.GetLine().GetBrandFen()
			}
			pending, payable := -balance["brand_pending:brd:c1"], -balance["brand_payable:brd:c1"]
			if pending+payable != kept {
				t.Fatalf("after %T %d are pending and %d payable of %d", event, pending, payable, kept)
			}
		}
		if pending := balance["brand_pending:brd:c1"]; pending != 0 {
			t.Fatalf("%d are pending when all has matured", -pending)
		}
	})
}

// post adds the legs up and looks at what the brand is owed.
func post(t *proof.Trial, balance map[string]int64, fact proto.Message) {
	f, ok := fact.(*brandv1.SettlementPosted)
	if !ok {
		t.Fatalf("a %T", fact)
	}
	var sum int64
	for _, leg := range f.GetPosting().GetLegs() {
		sum += leg.GetFen()
		balance[leg.GetAccount()] += leg.GetFen()
	}
	if sum != 0 {
		t.Fatalf("the legs of %s add up to %d", f.GetPosting().GetId(), sum)
	}
	for account, fen := range balance {
		asset := settlement.Chart[book.ClassOf(account)].Nature == book.Asset
		if asset && fen < 0 || !asset && fen > 0 {
			t.Fatalf("%s is at %d after %s", account, fen, f.GetKind())
		}
	}
}

func brandFen(lines []*orderv1.PaidLine) (sum int64) {
	for _, l := range lines {
		sum += l.GetBrandFen()
	}
	return sum
}

// mixed are the events of some orders.
func mixed(t *proof.Trial, orders int) []proto.Message {
	var stories [][]proto.Message
	for n := range orders {
		stories = append(stories, story(t, fmt.Sprintf("ord_%d", n)))
	}
	var events []proto.Message
	for len(stories) > 0 {
		i := t.IntN(len(stories))
		events = append(events, stories[i][0])
		if stories[i] = stories[i][1:]; len(stories[i]) == 0 {
			stories = slices.Delete(stories, i, i+1)
		}
	}
	return events
}

// story is one order's: paid, some of it short, some back unit by unit, and matured
// with what is left.
func story(t *proof.Trial, id string) []proto.Message {
	paid := &orderv1.OrderPaid{OrderId: id, BrandId: "brd", CampaignUid: "c1"}
	matured := &orderv1.OrderMatured{OrderId: id, BrandId: "brd", CampaignUid: "c1"}
	events := []proto.Message{paid}
	for i := range 1 + t.IntN(3) {
		sku, price, units := fmt.Sprint("sku", i), t.Int64N(10_000), 1+t.Int64N(4)
		paid.Lines = append(paid.Lines, &orderv1.PaidLine{Sku: sku, Units: units, BrandFen: price * units})
		short := max(0, t.Int64N(2*units)-units)
		if short > 0 {
			events = append(events, &orderv1.LineShort{OrderId: id, BrandId: "brd", CampaignUid: "c1", RefundId: "ref_s",
				Line: &orderv1.ReversedLine{Sku: sku, Units: short, BrandFen: price * short}})
		}
		left := units - short
		for left > 0 && t.Chance(3) {
			left--
			events = append(events, &orderv1.LineReturned{OrderId: id, BrandId: "brd", CampaignUid: "c1", RefundId: fmt.Sprint("ref_", left),
				Line: &orderv1.ReversedLine{Sku: sku, Units: 1, BrandFen: price}})
		}
		if left > 0 {
			matured.Lines = append(matured.Lines, &orderv1.PaidLine{Sku: sku, Units: left, BrandFen: price * left})
		}
	}
	return append(events, matured)
}
