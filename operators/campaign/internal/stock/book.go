// Package stock keeps in memory what brand.events.v1 says of every brand's stock, as far as the
// operator needs it: to resolve selectors, and to see when a refused campaign could be given its stock.
package stock

import (
	"cmp"
	"slices"

	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
)

// Standing is whether a brand gives stock to campaigns.
type Standing int

// The standings of a brand.
const (
	Absent Standing = iota // never approved
	Open
	Barred // suspended
)

// Untried is the trial index of goods whose style no trial user has scored.
const Untried = -1

// Goods is one SKU of a brand.
type Goods struct {
	SKU, Style, Season, Category string
	TagPriceFen, SettlementFen   int64
	// FreeUnits are with no campaign.
	FreeUnits int64
	// TrialIndexTenths is the style's mean score in tenths of a point, or Untried.
	TrialIndexTenths int32
}

// book is every brand's stock. A brand of 10,000 SKUs takes about a megabyte.
type book struct {
	brands map[string]*brand
	// refusals are the campaigns whose newest answer was a refusal, by uid.
	refusals map[string]refusal
	skus     int
}

// refusal is where in the brand's log a campaign was refused.
type refusal struct {
	generation int64
	// gains of the brand that the pool knew of when it refused.
	gains uint64
}

// brand keeps its words (styles, seasons, categories) once each: goods name them by number.
type brand struct {
	standing Standing
	goods    map[string]*goods
	names    []string
	numbers  map[string]int32
	// tried is the trial index of a style in tenths, by the style's number.
	tried map[int32]int32
	// gains counts what could let the pool give what it refused before.
	gains uint64
}

type goods struct {
	style, season, category    int32
	tagPriceFen, settlementFen int64
	freeUnits                  int64
}

func newBook() *book {
	return &book{brands: map[string]*brand{}, refusals: map[string]refusal{}}
}

func (b *book) brand(id string) *brand {
	known := b.brands[id]
	if known == nil {
		known = &brand{goods: map[string]*goods{}, numbers: map[string]int32{}, tried: map[int32]int32{}}
		b.brands[id] = known
	}
	return known
}

// number of a word.
func (b *brand) number(name string) int32 {
	n, known := b.numbers[name]
	if !known {
		n = int32(len(b.names)) // a brand has far fewer styles than 2³¹
		b.names = append(b.names, name)
		b.numbers[name] = n
	}
	return n
}

// take adds approved goods: units add up, the newest description counts.
func (b *book) take(id string, approved []*brandv1.Goods) {
	brand := b.brand(id)
	for _, a := range approved {
		g := brand.goods[a.GetSku()]
		if g == nil {
			g = &goods{}
			brand.goods[a.GetSku()] = g
			b.skus++
		}
		g.style, g.season, g.category = brand.number(a.GetStyleNo()), brand.number(a.GetSeason()), brand.number(a.GetCategory())
		g.tagPriceFen, g.settlementFen = a.GetTagPriceFen(), a.GetSettlementFen()
		g.freeUnits += a.GetUnits()
	}
	brand.gains++
}

// move changes the free units of SKUs. What was never approved is left out: the pool cannot mean it.
func (b *book) move(id string, units []*brandv1.AllocatedUnits, sign int64) {
	brand := b.brand(id)
	for _, u := range units {
		if g := brand.goods[u.GetSku()]; g != nil {
			g.freeUnits += sign * u.GetUnits()
		}
	}
}

func (b *brand) describe(sku string, g *goods) Goods {
	index, tried := b.tried[g.style]
	if !tried {
		index = Untried
	}
	return Goods{
		SKU: sku, Style: b.names[g.style], Season: b.names[g.season], Category: b.names[g.category],
		TagPriceFen: g.tagPriceFen, SettlementFen: g.settlementFen,
		FreeUnits: max(g.freeUnits, 0), TrialIndexTenths: index,
	}
}

// all returns all goods of a brand, by SKU.
func (b *brand) all() []Goods {
	list := make([]Goods, 0, len(b.goods))
	for sku, g := range b.goods {
		list = append(list, b.describe(sku, g))
	}
	return sorted(list)
}

// of returns those of the SKUs that the brand has, by SKU.
func (b *brand) of(skus []string) []Goods {
	list := make([]Goods, 0, len(skus))
	for _, sku := range skus {
		if g := b.goods[sku]; g != nil {
			list = append(list, b.describe(sku, g))
		}
	}
	return sorted(list)
}

func sorted(list []Goods) []Goods {
	slices.SortFunc(list, func(x, y Goods) int { return cmp.Compare(x.SKU, y.SKU) })
	return list
}
