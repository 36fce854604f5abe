package httpapi

import (
	"context"

	"github.com/qingcang/qingcang/services/brand-intake/internal/settlement"
)

// ListStock answers GET /v1/brands/{brandId}/stock.
func (s *Server) ListStock(ctx context.Context, r ListStockRequestObject) (ListStockResponseObject, error) {
	items, next, err := s.app.Stock(ctx, principal(ctx), r.BrandId, pageOf(r.Params.After, r.Params.Limit))
	if err != nil {
		return nil, err
	}
	page := ListStock200JSONResponse{Items: make([]StockItem, 0, len(items)), Next: optional(next)}
	for _, item := range items {
		page.Items = append(page.Items, StockItem{
			Sku: item.Goods.SKU, StyleNo: item.Goods.StyleNo, Name: item.Goods.Name, SettlementFen: int64(item.Goods.Settlement),
			ApprovedUnits: item.Approved, AllocatedUnits: item.Allocated, SoldUnits: item.Sold, FreeUnits: item.Free(),
			TrialIndexTenths: item.TrialIndexTenths,
		})
	}
	return page, nil
}

// GetStatement answers GET /v1/brands/{brandId}/statements/{campaignUid}.
func (s *Server) GetStatement(ctx context.Context, r GetStatementRequestObject) (GetStatementResponseObject, error) {
	statement, err := s.app.Statement(ctx, principal(ctx), r.BrandId, r.CampaignUid)
	if err != nil {
		return nil, err
	}
	t := lineOf(statement.Total)
	out := GetStatement200JSONResponse{
		CampaignUid: r.CampaignUid, SoldUnits: t.SoldUnits, SoldFen: t.SoldFen, ShortUnits: t.ShortUnits, ShortFen: t.ShortFen,
		ReturnedUnits: t.ReturnedUnits, ReturnedFen: t.ReturnedFen, CommissionFen: t.CommissionFen, PlatformFen: t.PlatformFen,
		PayableFen: t.PayableFen, MaturedFen: t.MaturedFen, Lines: make([]StatementLine, 0, len(statement.Lines)),
		Balanced: statement.Balanced,
	}
	for _, line := range statement.Lines {
		out.Lines = append(out.Lines, lineOf(line))
	}
	return out, nil
}

func lineOf(l settlement.Line) StatementLine {
	net := l.Net()
	return StatementLine{
		Sku: l.SKU, SoldUnits: l.Sold.Units, SoldFen: int64(l.Sold.Fen()), ShortUnits: l.Short.Units, ShortFen: int64(l.Short.Fen()),
		ReturnedUnits: l.Returned.Units, ReturnedFen: int64(l.Returned.Fen()), CommissionFen: int64(net.Owner),
		PlatformFen: int64(net.Platform), PayableFen: int64(net.Brand), MaturedFen: int64(l.Matured.Brand),
	}
}
