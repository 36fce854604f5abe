package book

import (
	moneyv1 "github.com/qingcang/qingcang/proto/gen/money/v1"

	"github.com/qingcang/qingcang/services/internal/money"
)

// Balances are the sums of postings by account; a positive one is a debit. An
// account at zero is absent, so that what is settled takes no memory.
type Balances map[string]money.Fen

// Apply adds a posting. At an overflow it changes nothing. Nil does nothing.
func (b Balances) Apply(p *moneyv1.Posting) error {
	changed := make(map[string]money.Fen, len(p.GetLegs()))
	for _, leg := range p.GetLegs() {
		before, seen := changed[leg.GetAccount()]
		if !seen {
			before = b[leg.GetAccount()]
		}
		after, err := before.Add(money.Fen(leg.GetFen()))
		if err != nil {
			return err
		}
		changed[leg.GetAccount()] = after
	}
	for account, fen := range changed {
		if fen == 0 {
			delete(b, account)
		} else {
			b[account] = fen
		}
	}
	return nil
}

// Sum returns the sum of all balances, which is zero if every posting was
// balanced.
func (b Balances) Sum() money.Fen {
	var sum money.Fen
	for _, fen := range b {
		sum += fen // of balanced postings: partial sums may wrap, the whole does not
	}
	return sum
}

// Of returns the sum of a class.
func (b Balances) Of(class Class) money.Fen {
	var sum money.Fen
	for account, fen := range b {
		if ClassOf(account) == class {
			sum += fen
		}
	}
	return sum
}

// InTransit returns the clearing accounts of a table that are not at zero yet.
func (t Table) InTransit(b Balances) Balances {
	open := Balances{}
	for account, fen := range b {
		if t[ClassOf(account)].Nature == Clearing {
			open[account] = fen
		}
	}
	return open
}
