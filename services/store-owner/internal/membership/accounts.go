package membership

import (
	moneyv1 "github.com/qingcang/qingcang/proto/gen/money/v1"
	"github.com/qingcang/qingcang/services/internal/book"
	"github.com/qingcang/qingcang/services/internal/money"
)

// The classes of the fee's accounts.
const (
	cash      book.Class = "provider_cash"
	inTransit book.Class = "payment_in_transit"
	goingBack book.Class = "refund_in_transit"
	revenue   book.Class = "membership_revenue"
)

// Accounts returns the classes that the fee may pass through: it comes from the provider, and
// becomes revenue or goes back. No class of the commission is among them, and none may be.
func Accounts() book.Table {
	return book.Table{
		cash:      {Nature: book.Asset, To: []book.Class{inTransit}},
		inTransit: {Nature: book.Clearing, To: []book.Class{revenue, goingBack}},
		goingBack: {Nature: book.Clearing, To: []book.Class{cash}},
		revenue:   {Nature: book.Revenue},
	}
}

var table = Accounts()

// received books money at the provider that is not decided about yet.
func received(pay Payment) *moneyv1.Posting {
	return post("membership_received/"+pay.MembershipID+"/"+pay.TransactionID, cash, inTransit, pay.Fen)
}

func post(id string, debit, credit book.Class, fen money.Fen) *moneyv1.Posting {
	return book.Post(id, book.Debit(book.Account(debit), fen), book.Credit(book.Account(credit), fen))
}

func check(postings []*moneyv1.Posting) error {
	for _, p := range postings {
		if err := table.Check(p); err != nil {
			return err
		}
	}
	return nil
}
