package stock

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/qingcang/qingcang/proto/eventkit"
	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
)

const acme = "brand_acme"

func event(m proto.Message) eventkit.Event {
	data, err := proto.Marshal(m)
	if err != nil {
		panic(err) // a message of this test
	}
	return eventkit.Event{Type: string(proto.MessageName(m)), Data: data}
}

func approved(units, settlementFen int64) *brandv1.GoodsApproved {
	return &brandv1.GoodsApproved{BrandId: acme, Goods: []*brandv1.Goods{{
		Sku: "C1", StyleNo: "coat", Season: "autumn", Category: "coats", TagPriceFen: 20_000, SettlementFen: settlementFen, Units: units,
	}}}
}

func units(n int64) []*brandv1.AllocatedUnits {
	return []*brandv1.AllocatedUnits{{Sku: "C1", Units: n}}
}

func TestTheStockOfABrand(t *testing.T) {
	coat := func(free, settlementFen int64, index int32) []Goods {
		return []Goods{{SKU: "C1", Style: "coat", Season: "autumn", Category: "coats", TagPriceFen: 20_000, SettlementFen: settlementFen, FreeUnits: free, TrialIndexTenths: index}}
	}
	given := &brandv1.StockAllocated{CampaignUid: "sale", BrandId: acme, Add: units(4)}
	for name, tc := range map[string]struct {
		events []proto.Message
		want   []Goods
	}{
		"what is approved is free":               {[]proto.Message{approved(10, 4_000)}, coat(10, 4_000, Untried)},
		"units add up and the newest price wins": {[]proto.Message{approved(10, 4_000), approved(5, 4_500)}, coat(15, 4_500, Untried)},
		"what a campaign has is not free":        {[]proto.Message{approved(10, 4_000), given}, coat(6, 4_000, Untried)},
		"what comes back is free":                {[]proto.Message{approved(10, 4_000), given, &brandv1.StockReleased{BrandId: acme, Units: units(3)}}, coat(9, 4_000, Untried)},
		"a trial before the goods counts":        {[]proto.Message{&brandv1.StyleTried{BrandId: acme, StyleNo: "coat", IndexTenths: 62}, approved(1, 4_000)}, coat(1, 4_000, 62)},
		"the newest trial counts":                {[]proto.Message{approved(1, 4_000), &brandv1.StyleTried{BrandId: acme, StyleNo: "coat", IndexTenths: 62}, &brandv1.StyleTried{BrandId: acme, StyleNo: "coat", IndexTenths: 40}}, coat(1, 4_000, 40)},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBook()
			for _, m := range tc.events {
				if _, parked := b.apply(event(m)); parked != "" {
					t.Fatalf("%T is parked: %s", m, parked)
				}
			}
			if diff := cmp.Diff(tc.want, b.brand(acme).all()); diff != "" {
				t.Errorf("goods (-want +got):\n%s", diff)
			}
		})
	}
}

func TestWhatCannotBeIsParked(t *testing.T) {
	for name, tc := range map[string]struct {
		event eventkit.Event
		want  string
	}{
		"bytes that are no message":    {eventkit.Event{Type: "brand.v1.GoodsApproved", Data: []byte("\xff")}, undecodable},
		"goods of no brand":            {event(&brandv1.GoodsApproved{Goods: []*brandv1.Goods{{Sku: "C1"}}}), nameless},
		"units under zero":             {event(approved(-1, 4_000)), impossible},
		"a price under zero":           {event(approved(1, -1)), impossible},
		"an index over ten points":     {event(&brandv1.StyleTried{BrandId: acme, StyleNo: "coat", IndexTenths: 101}), impossible},
		"an allocation under zero":     {event(&brandv1.StockAllocated{CampaignUid: "sale", BrandId: acme, Add: units(-1)}), impossible},
		"a refusal of nobody":          {event(&brandv1.StockRefused{BrandId: acme}), impossible},
		"another type is none of ours": {eventkit.Event{Type: "brand.v1.SubmissionRowsTaken", Data: []byte("\xff")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBook()
			if _, got := b.apply(tc.event); got != tc.want || b.skus != 0 {
				t.Errorf("parked as %q with %d SKUs, want %q and none", got, b.skus, tc.want)
			}
		})
	}
}

func TestAGainAfterARefusalIsSeen(t *testing.T) {
	refused := &brandv1.StockRefused{CampaignUid: "sale", BrandId: acme, Generation: 3}
	for name, tc := range map[string]struct {
		after []proto.Message
		want  bool
	}{
		"nothing has come":         {nil, false},
		"goods have come":          {[]proto.Message{approved(1, 1)}, true},
		"the brand was taken in":   {[]proto.Message{&brandv1.BrandApproved{BrandId: acme}}, true},
		"a style was tried":        {[]proto.Message{&brandv1.StyleTried{BrandId: acme, StyleNo: "coat"}}, true},
		"units came back":          {[]proto.Message{&brandv1.StockReleased{BrandId: acme, Units: units(1)}}, true},
		"the brand was suspended":  {[]proto.Message{&brandv1.BrandSuspended{BrandId: acme}}, false},
		"it was refused once more": {[]proto.Message{approved(1, 1), refused}, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBook()
			for _, m := range append([]proto.Message{approved(1, 1), refused}, tc.after...) {
				b.apply(event(m))
			}
			r := b.refusals["sale"]
			if got := b.brand(acme).gains > r.gains; got != tc.want || r.generation != 3 {
				t.Errorf("gained = %t since generation %d, want %t since 3", got, r.generation, tc.want)
			}
		})
	}
}
