package app

import (
	"context"

	"github.com/qingcang/qingcang/services/internal/money"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
	"github.com/qingcang/qingcang/services/order/internal/payment"
)

// Money is what became of an order's money.
type Money struct {
	// Sale is the order as it was paid; it is empty unless the sale stands or stood.
	Sale     ledger.Order
	Refunded money.Fen
	// AllRefunded says that money came and all of it went back.
	AllRefunded bool
}

// MoneyOfOrders shows what the payment journal says of orders.
type MoneyOfOrders struct{ journal *PaymentJournal }

// NewMoneyOfOrders returns a view of the journal.
func NewMoneyOfOrders(j *PaymentJournal) MoneyOfOrders { return MoneyOfOrders{journal: j} }

// Money implements OrderMoney.
func (m MoneyOfOrders) Money(ctx context.Context, orderID string) (Money, error) {
	var out Money
	err := m.journal.View(ctx, orderID, func(s *payment.Orders) {
		o := s.Order(orderID)
		out = Money{Sale: saleOf(o), Refunded: o.RefundedFen(), AllRefunded: o.Refunded()}
	})
	return out, err
}

// saleOf is a paid order as its money remembers it.
func saleOf(paid *payment.Order) ledger.Order {
	if paid.Verdict != payment.Paid {
		return ledger.Order{}
	}
	o := ledger.Order{
		ID: paid.ID, CampaignUID: paid.CampaignUID, BrandID: paid.Sale.BrandID,
		BuyerID: paid.BuyerID, OwnerID: paid.Sale.OwnerID, Fen: paid.Receipt.Fen,
		Standing: ledger.Standing{State: ledger.Confirmed},
	}
	for _, line := range paid.Sale.Lines {
		o.Lines = append(o.Lines, ledger.Line{SKU: line.SKU, Units: line.Units, Price: line.Price, SettlementPrice: line.Settlement})
	}
	return o
}
