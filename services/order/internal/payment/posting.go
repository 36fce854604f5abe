package payment

import (
	moneyv1 "github.com/qingcang/qingcang/proto/gen/money/v1"
	"github.com/qingcang/qingcang/services/internal/book"
	"github.com/qingcang/qingcang/services/internal/money"
)

// The classes of the order book.
const (
	// Cash is at the payment provider.
	Cash book.Class = "provider_cash"
	// PaymentInTransit is money that came and is not yet anybody's: it waits for
	// the lane's verdict.
	PaymentInTransit book.Class = "payment_in_transit"
	// RefundInTransit is money that is the buyer's again and still at the provider.
	RefundInTransit book.Class = "refund_in_transit"
	// PaidOtherwise is what buyers got back from another account of ours, because
	// the provider could not: the provider's cash owes it to that account.
	PaidOtherwise book.Class = "paid_otherwise"
	// BrandPayable is what a brand is owed, by brand and campaign.
	BrandPayable book.Class = "brand_payable"
	// OwnerCommission is what an owner earned, by owner and campaign.
	OwnerCommission book.Class = "owner_commission"
	// PlatformRevenue is what the platform keeps, by campaign.
	PlatformRevenue book.Class = "platform_revenue"
)

// Table says how an order's money may move. The two clearing classes come back
// to zero: each payment gets its verdict, each refund is settled.
var Table = book.Table{
	// A payment came.
	Cash: {Nature: book.Asset, To: []book.Class{PaymentInTransit}},
	// It became a sale, or goes back.
	PaymentInTransit: {Nature: book.Clearing, To: []book.Class{BrandPayable, OwnerCommission, PlatformRevenue, RefundInTransit}},
	// Units were short or came back: each party gives its share up.
	BrandPayable:    {Nature: book.Liability, To: []book.Class{RefundInTransit}},
	OwnerCommission: {Nature: book.Liability, To: []book.Class{RefundInTransit}},
	PlatformRevenue: {Nature: book.Revenue, To: []book.Class{RefundInTransit}},
	// The provider gave it back, or finance did.
	RefundInTransit: {Nature: book.Clearing, To: []book.Class{Cash, PaidOtherwise}},
	// The provider gave to us what finance had given to the buyer.
	PaidOtherwise: {Nature: book.Liability, To: []book.Class{Cash}},
}

// parties are between whom a sale's money is split.
type parties struct{ campaign, brand, owner string }

func (o *Order) parties() parties {
	return parties{campaign: o.CampaignUID, brand: o.Sale.BrandID, owner: o.Sale.OwnerID}
}

// credit returns the legs that give the parties their shares.
func (p parties) credit(s money.Shares) []*moneyv1.Leg {
	legs := []*moneyv1.Leg{book.Credit(book.Account(BrandPayable, p.brand, p.campaign), s.Brand)}
	if p.owner != "" { // without an owner the owner's share is zero
		legs = append(legs, book.Credit(book.Account(OwnerCommission, p.owner, p.campaign), s.Owner))
	}
	return append(legs, book.Credit(book.Account(PlatformRevenue, p.campaign), s.Platform))
}

// debit returns the legs that take the shares back.
func (p parties) debit(s money.Shares) []*moneyv1.Leg {
	return p.credit(money.Shares{}.Sub(s))
}

// post makes a posting and checks it. Its id is derived from its cause, so that
// no reader of the journal can count it twice.
func post(id string, legs ...*moneyv1.Leg) (*moneyv1.Posting, error) {
	p := book.Post(id, legs...)
	if p == nil {
		return nil, nil // goods that cost nothing move no money
	}
	if err := Table.Check(p); err != nil {
		return nil, err
	}
	return p, nil
}

// move posts an amount from one class without ids to another.
func move(id string, fen money.Fen, from, to book.Class) (*moneyv1.Posting, error) {
	return post(id, book.Debit(string(from), fen), book.Credit(string(to), fen))
}
