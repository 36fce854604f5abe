package membership

import (
	moneyv1 "github.com/qingcang/qingcang/proto/gen/money/v1"
	ownerv1 "github.com/qingcang/qingcang/proto/gen/owner/v1"
	"github.com/qingcang/qingcang/services/internal/ids"
	"github.com/qingcang/qingcang/services/internal/money"
)

// Why money goes back.
const (
	amountDiffers = "amount_differs"
	secondPayment = "second_payment"
	alreadyOwner  = "already_owner"
)

// Payment is money that the provider says has come.
type Payment struct {
	MembershipID, TransactionID string
	Fen                         money.Fen
}

// Decide keeps the money, which makes the person a store owner, or sends it back: there is one
// fee for each person, and it is the one that the membership was ordered at. A payment that is
// known changes nothing. Money that came late counts as long as the person is no owner: it was
// paid, so it is honoured.
func (pay Payment) Decide(p *Person) ([]Fact, error) {
	m := p.Find(pay.MembershipID)
	if m == nil {
		return nil, ErrUnknown
	}
	if m.PaidBy == pay.TransactionID || m.Returns[pay.TransactionID] != nil {
		return nil, nil
	}
	if reason := pay.unwanted(p, m); reason != "" {
		return pay.giveBack(reason)
	}
	postings := []*moneyv1.Posting{
		received(pay),
		post("membership_paid/"+m.ID, inTransit, revenue, pay.Fen),
	}
	if err := check(postings); err != nil {
		return nil, err
	}
	return []Fact{&ownerv1.MembershipPaid{
		MembershipId: m.ID, PersonId: p.ID, TransactionId: pay.TransactionID,
		FeeFen: int64(pay.Fen), Postings: postings,
	}}, nil
}

func (pay Payment) unwanted(p *Person, m *Membership) string {
	switch {
	case pay.Fen != m.Fee:
		return amountDiffers
	case m.PaidBy != "":
		return secondPayment
	case p.Owner():
		return alreadyOwner
	default:
		return ""
	}
}

func (pay Payment) giveBack(reason string) ([]Fact, error) {
	refundID := ids.Derive("ref", pay.MembershipID, pay.TransactionID)
	postings := []*moneyv1.Posting{
		received(pay),
		post("membership_returned/"+refundID, inTransit, goingBack, pay.Fen),
	}
	if err := check(postings); err != nil {
		return nil, err
	}
	return []Fact{&ownerv1.MembershipFeeReturned{
		MembershipId: pay.MembershipID, RefundId: refundID, TransactionId: pay.TransactionID,
		FeeFen: int64(pay.Fen), Postings: postings, Reason: reason,
	}}, nil
}

// SettleRefund notes that the provider gave a returned fee back.
func SettleRefund(p *Person, membershipID, refundID string) ([]Fact, error) {
	m := p.Find(membershipID)
	if m == nil {
		return nil, ErrUnknown
	}
	for _, r := range m.Returns {
		if r.RefundID != refundID || r.Settled {
			continue
		}
		postings := []*moneyv1.Posting{post("membership_refunded/"+refundID, goingBack, cash, r.Fen)}
		if err := check(postings); err != nil {
			return nil, err
		}
		return []Fact{&ownerv1.MembershipRefundSettled{
			MembershipId: membershipID, RefundId: refundID, FeeFen: int64(r.Fen), Postings: postings,
		}}, nil
	}
	return nil, nil
}
