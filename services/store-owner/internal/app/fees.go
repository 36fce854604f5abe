package app

import (
	"context"
	"time"

	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/internal/wechatpay"
	"github.com/qingcang/qingcang/services/store-owner/internal/membership"
	"github.com/qingcang/qingcang/services/store-owner/internal/people"
)

// Fees hears what the provider says about money. It believes its caller that the provider said it.
type Fees struct {
	Journal *Journal
}

// Received notes that money came. The journal decides whether it is the fee.
func (f *Fees) Received(ctx context.Context, t wechatpay.Trade) error {
	personID, err := f.holder(ctx, t.OutTradeNo)
	if err != nil {
		return err
	}
	payment := membership.Payment{MembershipID: t.OutTradeNo, TransactionID: t.TransactionID, Fen: t.Fen}
	return f.Journal.Do(ctx, about(personID, func(p *membership.Person, _ time.Time) ([]journal.Fact, error) {
		return payment.Decide(p)
	}))
}

// Refunded notes that money went back. A refund that failed changes nothing here: the collector
// sees it too, and tells.
func (f *Fees) Refunded(ctx context.Context, r wechatpay.RefundStatus) error {
	personID, err := f.holder(ctx, r.OutTradeNo)
	if err != nil || r.State != wechatpay.RefundSuccess {
		return err
	}
	return f.Journal.Do(ctx, about(personID, func(p *membership.Person, _ time.Time) ([]journal.Fact, error) {
		return membership.SettleRefund(p, r.OutTradeNo, r.OutRefundNo)
	}))
}

// holder finds whose membership it is: the provider knows the membership only.
func (f *Fees) holder(ctx context.Context, membershipID string) (string, error) {
	personID := ""
	find := func(s *people.State) {
		if id := s.Holders[membershipID]; id != "" {
			personID = id
		}
	}
	f.Journal.Each(func(_ int, s *people.State) { find(s) })
	// Another replica may have ordered it a moment ago.
	for _, route := range journal.Routes() {
		if personID != "" {
			return personID, nil
		}
		if err := f.Journal.View(ctx, route, find); err != nil {
			return "", err
		}
	}
	if personID == "" {
		return "", membership.ErrUnknown
	}
	return personID, nil
}
