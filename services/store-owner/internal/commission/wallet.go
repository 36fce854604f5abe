// Package commission keeps the owners' wallets: what an owner earned on orders that came through
// their links, what was taken back, and what can no longer be taken back. It is pure.
//
// The amounts are those that the order service split off; nothing is computed from a rate here.
// Nobody earns on anything but the orders of their own links: there is no second level, and no fact
// of a membership is ever folded into a wallet.
package commission

import (
	"cmp"
	"slices"

	"google.golang.org/protobuf/proto"

	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	ownerv1 "github.com/qingcang/qingcang/proto/gen/owner/v1"
	"github.com/qingcang/qingcang/services/internal/money"
)

// Fact is one thing that was decided.
type Fact = proto.Message

// Wallet is what one owner has earned.
type Wallet struct {
	Accrued  money.Fen `json:"accrued"`
	Reversed money.Fen `json:"reversed"`
	// Available is what matured, less what was taken back since.
	Available money.Fen         `json:"available"`
	Orders    map[string]*Order `json:"orders"`
}

// NewWallet returns an empty wallet.
func NewWallet() *Wallet { return &Wallet{Orders: map[string]*Order{}} }

// Pending is what waits for the end of a return window.
func (w *Wallet) Pending() money.Fen { return w.Accrued - w.Reversed - w.Available }

// Order is one order's part of a wallet.
type Order struct {
	CampaignUID string    `json:"campaignUid"`
	Accrued     money.Fen `json:"accrued"`
	Reversed    money.Fen `json:"reversed"`
	// Paid says that the commission was accrued; Matured, that the return window is over.
	Paid    bool `json:"paid,omitempty"`
	Matured bool `json:"matured,omitempty"`
	// Booked holds the postings that took commission back, so that none does it twice.
	Booked map[string]bool `json:"booked,omitempty"`
	// EarlyReversals and EarlyMaturity came before the order was known to be paid.
	EarlyReversals []Reversal `json:"earlyReversals,omitempty"`
	EarlyMaturity  bool       `json:"earlyMaturity,omitempty"`
}

// left is what the order still brings.
func (o *Order) left() money.Fen { return o.Accrued - o.Reversed }

// order returns the order, or an empty one that is not in the wallet.
func (w *Wallet) order(id string) *Order {
	if w != nil {
		if o := w.Orders[id]; o != nil {
			return o
		}
	}
	return &Order{}
}

// Entry is an order in a list.
type Entry struct {
	OrderID string
	Order
}

// Page lists the paid orders behind an order id, by order id, at most limit.
func (w *Wallet) Page(after string, limit int) []Entry {
	var page []Entry
	if w == nil {
		return page
	}
	for id, o := range w.Orders {
		if o.Paid && id > after {
			page = append(page, Entry{OrderID: id, Order: *o})
		}
	}
	slices.SortFunc(page, func(a, b Entry) int { return cmp.Compare(a.OrderID, b.OrderID) })
	return page[:min(limit, len(page))]
}

// Apply folds a fact about one of the owner's orders.
func (w *Wallet) Apply(fact Fact) {
	switch f := fact.(type) {
	case *ownerv1.CommissionAccrued:
		o := w.at(f.GetOrderId())
		o.CampaignUID, o.Paid, o.Accrued = f.GetCampaignUid(), true, money.Fen(f.GetFen())
		w.Accrued += o.Accrued
	case *ownerv1.CommissionReversed:
		w.reverse(w.at(f.GetOrderId()), f)
	case *ownerv1.CommissionMatured:
		o := w.at(f.GetOrderId())
		o.Matured, o.EarlyMaturity = true, false
		w.Available += money.Fen(f.GetFen())
	case *orderv1.LineShort:
		w.at(f.GetOrderId()).keep(Short(f))
	case *orderv1.LineReturned:
		w.at(f.GetOrderId()).keep(Returned(f))
	case *orderv1.OrderMatured:
		w.at(f.GetOrderId()).EarlyMaturity = true
	}
}

func (w *Wallet) reverse(o *Order, f *ownerv1.CommissionReversed) {
	fen, id := money.Fen(f.GetFen()), f.GetPosting().GetId()
	if o.Booked == nil {
		o.Booked = map[string]bool{}
	}
	o.Booked[id] = true
	o.Reversed += fen
	w.Reversed += fen
	if o.Matured {
		w.Available -= fen
	}
	o.EarlyReversals = slices.DeleteFunc(o.EarlyReversals, func(r Reversal) bool { return r.postingID() == id })
}

// keep holds a reversal until the order is known to be paid. The event it came from is kept already.
func (o *Order) keep(r Reversal) {
	r.event = nil
	o.EarlyReversals = append(o.EarlyReversals, r)
}

func (w *Wallet) at(orderID string) *Order {
	o := w.Orders[orderID]
	if o == nil {
		o = &Order{}
		w.Orders[orderID] = o
	}
	return o
}
