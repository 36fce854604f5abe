// Package book is double entry: it makes postings, checks them against a table
// of what may be posted, and adds them up. The tables themselves belong to the
// services.
package book

import (
	"strings"

	moneyv1 "github.com/qingcang/qingcang/proto/gen/money/v1"

	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/money"
)

const (
	// MaxLegs bounds a posting: an order of 500 lines posts at most three a line.
	MaxLegs = 2_000
	// MaxAccount bounds the name of an account in bytes.
	MaxAccount = 200
	// maxIDs is how many ids an account name has at most.
	maxIDs = 2
)

// Class is the first part of an account's name: "brand_payable" of
// "brand_payable:brand_01h…:8c0c…".
type Class string

// Nature is what the balance of a class means.
type Nature string

// The natures.
const (
	Asset     Nature = "asset"     // what we have; a debit adds to it
	Liability Nature = "liability" // what we owe; a credit adds to it
	Revenue   Nature = "revenue"   // what we earned; a credit adds to it
	Clearing  Nature = "clearing"  // on its way; returns to zero
)

// Rule says what a class is and where its money may go.
type Rule struct {
	Nature Nature
	// To lists the classes that a posting may credit when it debits this one:
	// a debit takes the money from here, a credit says whose it is now. Money
	// that comes in debits an asset, money that goes out credits it.
	To []Class
}

// Table is a chart of accounts.
type Table map[Class]Rule

// The faults of a posting. They are bugs of the caller, hence Internal.
var (
	ErrUnbalanced = fault.New(fault.Internal, "posting_unbalanced", "the legs of a posting must add up to zero")
	ErrShape      = fault.New(fault.Internal, "posting_shape", "a posting has an id and 2 to 2000 legs, none of them zero")
	ErrAccount    = fault.New(fault.Internal, "posting_account", "an account is a known class with at most two ids")
	ErrForbidden  = fault.New(fault.Internal, "posting_forbidden", "the table does not let money go this way")
)

// ClassOf returns the class of an account.
func ClassOf(account string) Class {
	class, _, _ := strings.Cut(account, ":")
	return Class(class)
}

// Account returns the name of an account: Account("brand_payable", brand, campaign).
func Account(class Class, ids ...string) string {
	return strings.Join(append([]string{string(class)}, ids...), ":")
}

// Debit returns a leg that debits an account; a negative amount credits it.
func Debit(account string, fen money.Fen) *moneyv1.Leg {
	return &moneyv1.Leg{Account: account, Fen: int64(fen)}
}

// Credit returns a leg that credits an account; a negative amount debits it.
func Credit(account string, fen money.Fen) *moneyv1.Leg {
	return &moneyv1.Leg{Account: account, Fen: -int64(fen)}
}

// Post makes a posting of legs. It adds up legs of one account and leaves out
// what comes to zero, in the order of their first appearance. If nothing is
// left, it returns nil: nothing moved.
func Post(id string, legs ...*moneyv1.Leg) *moneyv1.Posting {
	var order []string
	sums := map[string]int64{}
	for _, leg := range legs {
		if _, seen := sums[leg.GetAccount()]; !seen {
			order = append(order, leg.GetAccount())
		}
		sums[leg.GetAccount()] += leg.GetFen()
	}
	p := &moneyv1.Posting{Id: id}
	for _, account := range order {
		if fen := sums[account]; fen != 0 {
			p.Legs = append(p.Legs, &moneyv1.Leg{Account: account, Fen: fen})
		}
	}
	if len(p.GetLegs()) == 0 {
		return nil
	}
	return p
}

// Check refuses a posting that is not balanced, is badly made, or moves money
// in a way that the table does not have.
func (t Table) Check(p *moneyv1.Posting) error {
	legs := p.GetLegs()
	if p.GetId() == "" || len(legs) < 2 || len(legs) > MaxLegs {
		return ErrShape
	}
	var sum money.Fen
	debits, credits := map[Class]bool{}, map[Class]bool{}
	for _, leg := range legs {
		class, err := t.class(leg.GetAccount())
		if err != nil {
			return err
		}
		if sum, err = sum.Add(money.Fen(leg.GetFen())); err != nil {
			return ErrUnbalanced.Wrap(err)
		}
		switch {
		case leg.GetFen() > 0:
			debits[class] = true
		case leg.GetFen() < 0:
			credits[class] = true
		default:
			return ErrShape
		}
	}
	if sum != 0 {
		return ErrUnbalanced
	}
	return t.allowed(debits, credits)
}

func (t Table) class(account string) (Class, error) {
	class := ClassOf(account)
	if _, known := t[class]; !known || len(account) > MaxAccount {
		return "", ErrAccount
	}
	ids := strings.Split(account, ":")[1:]
	if len(ids) > maxIDs {
		return "", ErrAccount
	}
	for _, id := range ids {
		if id == "" {
			return "", ErrAccount
		}
	}
	return class, nil
}

func (t Table) allowed(debits, credits map[Class]bool) error {
	for from := range debits {
		for to := range credits {
			if !t.leads(from, to) {
				return ErrForbidden
			}
		}
	}
	return nil
}

func (t Table) leads(from, to Class) bool {
	for _, c := range t[from].To {
		if c == to {
			return true
		}
	}
	return false
}

// Reachable reports whether money of a class can get to another, by one posting
// or by any chain of them. A test asserts by it what the law forbids: that the
// membership fee reaches a commission.
func (t Table) Reachable(from, to Class) bool {
	seen := map[Class]bool{}
	next := []Class{from}
	for len(next) > 0 {
		class := next[0]
		next = next[1:]
		for _, c := range t[class].To {
			if c == to {
				return true
			}
			if !seen[c] {
				seen[c] = true
				next = append(next, c)
			}
		}
	}
	return false
}
