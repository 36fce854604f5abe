package settlement

import (
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	"github.com/qingcang/qingcang/services/internal/book"
	"github.com/qingcang/qingcang/services/internal/money"
)

// Part is units and how their money is split.
type Part struct {
	Units                  int64
	Brand, Owner, Platform money.Fen
}

// Fen is the whole that was split.
func (p Part) Fen() money.Fen { return p.Brand + p.Owner + p.Platform }

func (p Part) plus(q Part) Part {
	return Part{p.Units + q.Units, p.Brand + q.Brand, p.Owner + q.Owner, p.Platform + q.Platform}
}

func (p Part) minus(q Part) Part {
	return Part{p.Units - q.Units, p.Brand - q.Brand, p.Owner - q.Owner, p.Platform - q.Platform}
}

// within reports whether nothing of p is negative or more than q has.
func (p Part) within(q Part) bool {
	return p.Units >= 0 && p.Brand >= 0 && p.Owner >= 0 && p.Platform >= 0 &&
		p.Units <= q.Units && p.Brand <= q.Brand && p.Owner <= q.Owner && p.Platform <= q.Platform
}

// Line is what happened to one SKU, or to all of a campaign.
type Line struct {
	SKU                            string
	Sold, Short, Returned, Matured Part
}

// Net is what is left of the sale; its parts are payable, commission and platform.
func (l Line) Net() Part { return l.Sold.minus(l.Short).minus(l.Returned) }

// adds reports whether the line is one that orders can have led to. Sums are
// true by construction; a difference below zero is not, nor is more matured
// than is left.
func (l Line) adds() bool {
	return l.Net().within(l.Sold) && l.Matured.within(l.Net())
}

func (l Line) plus(m Line) Line {
	l.Sold, l.Short = l.Sold.plus(m.Sold), l.Short.plus(m.Short)
	l.Returned, l.Matured = l.Returned.plus(m.Returned), l.Matured.plus(m.Matured)
	return l
}

// Account is a brand's account of one campaign, folded from its facts.
type Account struct {
	Lines map[string]*Line
	// Balances are of the postings, apart from the lines: the statement holds one against the other.
	Balances book.Balances
	// Broken is set by a posting that does not fit into 63 bits: nothing adds up any more.
	Broken bool
}

// Accounts are a brand's accounts by campaign. The zero value is empty.
type Accounts struct {
	ByCampaign map[string]*Account
}

// Fold takes a fact into the accounts and reports whether it was one of theirs.
func (a *Accounts) Fold(f proto.Message) bool {
	p, ok := f.(*brandv1.SettlementPosted)
	if !ok {
		return false
	}
	if a.ByCampaign == nil {
		a.ByCampaign = map[string]*Account{}
	}
	account, ok := a.ByCampaign[p.GetCampaignUid()]
	if !ok {
		account = &Account{Lines: map[string]*Line{}, Balances: book.Balances{}}
		a.ByCampaign[p.GetCampaignUid()] = account
	}
	account.fold(p)
	return true
}

func (a *Account) fold(p *brandv1.SettlementPosted) {
	for _, l := range p.GetLines() {
		line, ok := a.Lines[l.GetSku()]
		if !ok {
			line = &Line{SKU: l.GetSku()}
			a.Lines[l.GetSku()] = line
		}
		part := Part{
			Units: l.GetUnits(), Brand: money.Fen(l.GetBrandFen()),
			Owner: money.Fen(l.GetOwnerFen()), Platform: money.Fen(l.GetPlatformFen()),
		}
		switch p.GetKind() {
		case brandv1.SettlementPosted_KIND_SOLD:
			line.Sold = line.Sold.plus(part)
		case brandv1.SettlementPosted_KIND_SHORT:
			line.Short = line.Short.plus(part)
		case brandv1.SettlementPosted_KIND_RETURNED:
			line.Returned = line.Returned.plus(part)
		case brandv1.SettlementPosted_KIND_MATURED:
			line.Matured = line.Matured.plus(part)
		}
	}
	if err := a.Balances.Apply(p.GetPosting()); err != nil {
		a.Broken = true
	}
}

// Statement is what a campaign means for the brand, as of now.
type Statement struct {
	Total Line
	// Lines are in the order of their SKUs.
	Lines []Line
	// Balanced: each line and the total add up, and the book says the same.
	Balanced bool
}

// Statement reads the account. A nil account is one without sales: all zero.
func (a *Account) Statement() Statement {
	if a == nil {
		return Statement{Balanced: true}
	}
	s := Statement{Balanced: !a.Broken}
	for _, sku := range slices.Sorted(maps.Keys(a.Lines)) {
		line := *a.Lines[sku]
		s.Lines = append(s.Lines, line)
		s.Total = s.Total.plus(line)
		s.Balanced = s.Balanced && line.adds()
	}
	s.Balanced = s.Balanced && s.Total.adds() && a.agrees(s.Total)
	return s
}

// agrees holds the book against the lines: the proceeds that are still here are
// the brand's, pending or payable, and what matured is payable.
func (a *Account) agrees(total Line) bool {
	return a.Balances.Sum() == 0 &&
		a.Balances.Of(SaleProceeds) == total.Net().Brand &&
		-a.Balances.Of(BrandPayable) == total.Matured.Brand
}
