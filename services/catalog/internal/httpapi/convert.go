package httpapi

import "github.com/qingcang/qingcang/services/catalog/internal/shelf"

func campaign(c shelf.Campaign) Campaign {
	return Campaign{
		UID: c.UID, Title: c.Title, Phase: Phase(c.Phase),
		StartAt: c.StartAt, EndAt: c.EndAt, SecondsLeft: c.SecondsLeft,
	}
}

func summary(s shelf.StyleSummary) StyleSummary {
	return StyleSummary{
		StyleNo: s.No, Name: s.Name, Category: s.Category,
		FromFen: int64(s.From), Stock: Stock(s.Stock), LeftUnits: s.LeftUnits,
	}
}

func style(s shelf.Style) Style {
	out := Style{
		StyleNo: s.No, Name: s.Name, Category: s.Category,
		Campaign: campaign(s.Campaign), Items: make([]Item, 0, len(s.Items)),
	}
	if s.TrialIndexTenths > 0 {
		out.TrialIndexTenths = &s.TrialIndexTenths
	}
	for _, i := range s.Items {
		out.Items = append(out.Items, Item{
			Sku: i.SKU, Colour: i.Colour, Size: i.Size,
			TagPriceFen: int64(i.TagPrice), PriceFen: int64(i.Price), Stock: Stock(i.Stock), LeftUnits: i.LeftUnits,
		})
	}
	return out
}

func goods(g shelf.Goods) Goods {
	return Goods{
		Sku: g.SKU, StyleNo: g.StyleNo, Name: g.Name, Category: g.Category, Colour: g.Colour, Size: g.Size,
		TagPriceFen: int64(g.TagPrice), SettlementFen: int64(g.Settlement), Warehouse: g.Warehouse, Season: g.Season,
	}
}
