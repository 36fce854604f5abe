package httpapi

import (
	"context"

	"github.com/qingcang/qingcang/services/store-owner/internal/app"
)

// defaultPage is the contract's default for limit.
const defaultPage = 50

// GetWallet implements StrictServerInterface.
func (s *Server) GetWallet(ctx context.Context, _ GetWalletRequestObject) (GetWalletResponseObject, error) {
	p, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	w, err := s.Wallets.Get(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	return GetWallet200JSONResponse{
		AccruedFen: int64(w.Accrued), ReversedFen: int64(w.Reversed),
		PendingFen: int64(w.Pending), AvailableFen: int64(w.Available),
	}, nil
}

// ListWalletOrders implements StrictServerInterface.
func (s *Server) ListWalletOrders(ctx context.Context, r ListWalletOrdersRequestObject) (ListWalletOrdersResponseObject, error) {
	p, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	after, limit := "", defaultPage
	if r.Params.After != nil {
		after = *r.Params.After
	}
	if r.Params.Limit != nil {
		limit = *r.Params.Limit
	}
	page, next, err := s.Wallets.Orders(ctx, p.ID, after, limit)
	if err != nil {
		return nil, err
	}
	answer := ListWalletOrders200JSONResponse{Items: make([]WalletOrder, 0, len(page))}
	for _, o := range page {
		answer.Items = append(answer.Items, walletOrderOf(o))
	}
	if next != "" {
		answer.Next = &next
	}
	return answer, nil
}

func walletOrderOf(o app.WalletOrder) WalletOrder {
	state := Pending
	if o.Matured {
		state = Matured
	}
	return WalletOrder{
		OrderID: o.OrderID, CampaignUID: o.CampaignUID, State: state,
		AccruedFen: int64(o.Accrued), ReversedFen: int64(o.Reversed),
	}
}
