package app

import (
	"context"

	"github.com/qingcang/qingcang/services/internal/money"
	"github.com/qingcang/qingcang/services/store-owner/internal/commission"
	"github.com/qingcang/qingcang/services/store-owner/internal/people"
)

// Wallets show owners what they have earned.
type Wallets struct {
	Journal *Journal
}

// WalletView is a wallet's amounts. Accrued - Reversed = Pending + Available.
type WalletView struct {
	Accrued, Reversed, Pending, Available money.Fen
}

// Get shows an owner's wallet, which is empty before the first order.
func (w *Wallets) Get(ctx context.Context, ownerID string) (WalletView, error) {
	var view WalletView
	err := w.Journal.View(ctx, ownerID, func(s *people.State) {
		if wallet := s.Wallets[ownerID]; wallet != nil {
			view = WalletView{wallet.Accrued, wallet.Reversed, wallet.Pending(), wallet.Available}
		}
	})
	return view, err
}

// WalletOrder is an order in the wallet.
type WalletOrder struct {
	OrderID, CampaignUID string
	Accrued, Reversed    money.Fen
	Matured              bool
}

// Orders lists at most limit orders behind an order id. next is empty on the last page.
func (w *Wallets) Orders(ctx context.Context, ownerID, after string, limit int) (page []WalletOrder, next string, err error) {
	err = w.Journal.View(ctx, ownerID, func(s *people.State) {
		entries := s.Wallets[ownerID].Page(after, limit+1) // one more tells whether there is a next page
		page = make([]WalletOrder, 0, len(entries))
		for _, e := range entries {
			page = append(page, walletOrder(e))
		}
	})
	if len(page) > limit {
		page = page[:limit]
		next = page[limit-1].OrderID
	}
	return page, next, err
}

func walletOrder(e commission.Entry) WalletOrder {
	return WalletOrder{OrderID: e.OrderID, CampaignUID: e.CampaignUID, Accrued: e.Accrued, Reversed: e.Reversed, Matured: e.Matured}
}
