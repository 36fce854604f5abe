package commission

import (
	moneyv1 "github.com/qingcang/qingcang/proto/gen/money/v1"
	"github.com/qingcang/qingcang/services/internal/book"
	"github.com/qingcang/qingcang/services/internal/money"
)

// The classes of the commission's accounts.
const (
	// due mirrors what the order service set aside for owners (owner_commission there).
	due       book.Class = "commission_due"
	pending   book.Class = "commission_pending"
	available book.Class = "commission_available"
)

// Accounts returns the classes that commission may pass through. No class of the membership fee is
// among them, and none may be.
func Accounts() book.Table {
	return book.Table{
		due:       {Nature: book.Asset, To: []book.Class{pending}},
		pending:   {Nature: book.Liability, To: []book.Class{due, available}},
		available: {Nature: book.Liability, To: []book.Class{due}},
	}
}

var table = Accounts()

func accrue(id, owner string, fen money.Fen) (*moneyv1.Posting, error) {
	return post(id, book.Account(due), book.Account(pending, owner), fen)
}

// takeBack is the reverse of accrue; after the window, which should not be, of what is available.
func takeBack(id, owner string, fen money.Fen, matured bool) (*moneyv1.Posting, error) {
	if matured {
		return post(id, book.Account(available, owner), book.Account(due), fen)
	}
	return post(id, book.Account(pending, owner), book.Account(due), fen)
}

func release(id, owner string, fen money.Fen) (*moneyv1.Posting, error) {
	return post(id, book.Account(pending, owner), book.Account(available, owner), fen)
}

// post returns nil for nothing: no posting has legs of zero.
func post(id, debit, credit string, fen money.Fen) (*moneyv1.Posting, error) {
	p := book.Post(id, book.Debit(debit, fen), book.Credit(credit, fen))
	if p == nil {
		return nil, nil
	}
	return p, table.Check(p)
}
