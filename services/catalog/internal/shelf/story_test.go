package shelf_test

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/services/catalog/internal/shelf"
)

const (
	uid     = "8c0c2f1e-7b7e-4a63-9f0e-0e6f2b8e2d11"
	brandID = "brand_2x4y6z8a0b1c2d3e4f5g6h7j8k"
)

var (
	noon    = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	start   = noon
	end     = noon.Add(2 * time.Hour)
	preview = noon.Add(-24 * time.Hour)
)

// wanted is a sale of two sizes of one shirt and a pair of trousers.
func wanted(change ...func(*campaignv1.Desired)) *campaignv1.Desired {
	d := &campaignv1.Desired{
		Uid: uid, Generation: 1, BrandId: brandID, Title: "秋季清仓",
		PreviewAt: timestamppb.New(preview), StartAt: timestamppb.New(start), EndAt: timestamppb.New(end),
		Items: []*campaignv1.Item{
			{Sku: "C2", PriceFen: 6_100, Units: 100}, {Sku: "C1", PriceFen: 6_000, Units: 100}, {Sku: "K1", PriceFen: 9_900, Units: 10},
		},
	}
	for _, c := range change {
		c(d)
	}
	return d
}

func generation(n int64) func(*campaignv1.Desired) {
	return func(d *campaignv1.Desired) { d.Generation = n }
}

func prices(fen int64) func(*campaignv1.Desired) {
	return func(d *campaignv1.Desired) {
		for _, i := range d.Items {
			i.PriceFen = fen
		}
	}
}

func suspended(d *campaignv1.Desired) { d.Suspended = true }
func closed(d *campaignv1.Desired)    { d.Closed = true }

// told is what the lane says of it with all of its stock.
func told(phase campaignv1.Status_Phase, change ...func(*campaignv1.Status)) *campaignv1.Status {
	s := &campaignv1.Status{
		Uid: uid, Phase: phase, Units: 210,
		Allocation: &campaignv1.Allocation{Generation: 1, State: campaignv1.Allocation_STATE_ALLOCATED},
		Items:      []*campaignv1.ItemStatus{{Sku: "C1", Units: 100}, {Sku: "C2", Units: 100}, {Sku: "K1", Units: 10}},
	}
	for _, c := range change {
		c(s)
	}
	return s
}

func answered(generation int64, state campaignv1.Allocation_State) func(*campaignv1.Status) {
	return func(s *campaignv1.Status) {
		s.Allocation = &campaignv1.Allocation{Generation: generation, State: state}
	}
}

func item(sku string, units, held, sold int64) func(*campaignv1.Status) {
	return func(s *campaignv1.Status) {
		for _, i := range s.Items {
			if i.Sku == sku {
				i.Units, i.HeldUnits, i.SoldUnits = units, held, sold
			}
		}
	}
}

func withoutStock(s *campaignv1.Status) {
	s.Units, s.Allocation, s.Items = 0, nil, nil
}

func approved(goods ...*brandv1.Goods) *brandv1.GoodsApproved {
	return &brandv1.GoodsApproved{BrandId: brandID, Goods: goods}
}

func shirt(sku, size string) *brandv1.Goods {
	return &brandv1.Goods{
		Sku: sku, StyleNo: "A2045", Name: "亚麻衬衫", Category: "衬衫", Colour: "白", Size: size,
		TagPriceFen: 39_900, SettlementFen: 4_000, Warehouse: "杭州一号", Season: "夏",
	}
}

func trousers() *brandv1.Goods {
	return &brandv1.Goods{Sku: "K1", StyleNo: "KZ-7", Name: "羊毛裤", Category: "裤", Colour: "灰", Size: "L", TagPriceFen: 89_900, SettlementFen: 6_000}
}

func all() *brandv1.GoodsApproved { return approved(shirt("C1", "M"), shirt("C2", "L"), trousers()) }

// stocked is a shelf with the sale, its goods and its lane's word on it.
func stocked(d *campaignv1.Desired, s *campaignv1.Status) *shelf.Shelf {
	on := shelf.New()
	on.Approve(all())
	on.Want(uid, d)
	if s != nil {
		on.Report(uid, s)
	}
	return on
}
