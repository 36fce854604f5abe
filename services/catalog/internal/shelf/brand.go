package shelf

import (
	"slices"

	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	"github.com/qingcang/qingcang/services/internal/money"
)

// Goods describes one SKU of a brand. Settlement is between brand and platform: buyers never see it.
type Goods struct {
	SKU, StyleNo, Name, Category, Colour, Size, Warehouse, Season string
	TagPrice, Settlement                                          money.Fen
}

// brand holds a brand's approved goods and the campaigns that sell them.
type brand struct {
	goods map[string]Goods // by SKU
	// skus are the keys of goods, sorted. A brand may have 200,000.
	skus      []string
	campaigns map[string]*campaign // by uid
	// tried has the trial index of each style that was tried, in tenths of a point.
	tried map[string]int32
}

func (b *brand) take(approved []*brandv1.Goods) {
	var fresh []string
	for _, g := range approved {
		if _, known := b.goods[g.GetSku()]; !known {
			fresh = append(fresh, g.GetSku())
		}
		b.goods[g.GetSku()] = Goods{
			SKU: g.GetSku(), StyleNo: g.GetStyleNo(), Name: g.GetName(), Category: g.GetCategory(),
			Colour: g.GetColour(), Size: g.GetSize(), Warehouse: g.GetWarehouse(), Season: g.GetSeason(),
			TagPrice: money.Fen(g.GetTagPriceFen()), Settlement: money.Fen(g.GetSettlementFen()),
		}
	}
	b.skus = merge(b.skus, fresh)
}

// merge adds fresh to a sorted list in one pass: approvals come in pieces of 200, and sorting the
// whole list for each would make a start slow.
func merge(sorted, fresh []string) []string {
	slices.Sort(fresh)
	i, j := len(sorted)-1, len(fresh)-1
	sorted = append(sorted, fresh...)
	for at := len(sorted) - 1; j >= 0; at-- { // from behind, so that nothing is overwritten unread
		if i >= 0 && sorted[i] > fresh[j] {
			sorted[at] = sorted[i]
			i--
		} else {
			sorted[at] = fresh[j]
			j--
		}
	}
	return sorted
}

// Goods returns up to limit of a brand's goods by SKU, those behind after, and whether there are more.
func (s *Shelf) Goods(brandID, after string, limit int) (page []Goods, more bool) {
	b, ok := s.brands[brandID]
	if !ok {
		return nil, false
	}
	from, found := slices.BinarySearch(b.skus, after)
	if found {
		from++
	}
	to := min(from+limit, len(b.skus))
	for _, sku := range b.skus[from:to] {
		page = append(page, b.goods[sku])
	}
	return page, to < len(b.skus)
}
