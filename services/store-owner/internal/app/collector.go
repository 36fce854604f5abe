package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/internal/wechatpay"
	"github.com/qingcang/qingcang/services/store-owner/internal/membership"
	"github.com/qingcang/qingcang/services/store-owner/internal/people"
)

// Payer asks the provider about money, and to give it back.
type Payer interface {
	Query(ctx context.Context, outTradeNo string) (wechatpay.Trade, error)
	Close(ctx context.Context, outTradeNo string) error
	Refund(ctx context.Context, r wechatpay.RefundRequest) (wechatpay.RefundStatus, error)
}

const (
	collectEvery = time.Second
	// refundReason is shown to who paid.
	refundReason = "会员费多付，原路退回"
)

// Collector asks the provider what nobody told: whether a fee came whose notice was lost, and
// whether a refund is through. Any number of replicas may do it at once: what they find out changes
// the journal once.
type Collector struct {
	Journal  *Journal
	Fees     *Fees
	Provider Payer
	Now      func() time.Time
	Log      *slog.Logger
}

// errRefundStuck asks for a person: the provider will not give the money back by itself.
var errRefundStuck = errors.New("the provider cannot give the money back; finance has to")

// Run watches one shard until ctx ends.
func (c *Collector) Run(ctx context.Context, shard int) error {
	tick := time.NewTicker(collectEvery)
	defer tick.Stop()
	asked := questions{}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			c.collect(ctx, shard, asked)
		}
	}
}

// collect asks about all memberships whose time has come.
func (c *Collector) collect(ctx context.Context, shard int, asked questions) {
	busy := c.busy(shard)
	asked.forget(busy)
	for _, b := range busy {
		if !asked.due(b, c.Now()) {
			continue
		}
		if err := c.ask(ctx, b); err != nil && ctx.Err() == nil {
			c.Log.WarnContext(ctx, "membership payment is not settled yet", "membership", b.id, "err", err)
		}
	}
}

// business is a membership about which the provider is to be asked, as of now.
type business struct {
	personID, id string
	open         bool
	prepaid      bool
	expiresAt    time.Time
	returns      []wechatpay.RefundRequest
}

func (c *Collector) busy(shard int) []business {
	var out []business
	c.Journal.Each(func(n int, s *people.State) {
		if n != shard {
			return
		}
		for _, id := range s.BusyMemberships() {
			m := s.People[s.Holders[id]].Find(id)
			b := business{personID: s.Holders[id], id: id, open: m.Open(), prepaid: m.PrepayID != "", expiresAt: m.ExpiresAt}
			for _, r := range m.Returns {
				if !r.Settled {
					b.returns = append(b.returns, wechatpay.RefundRequest{
						OutTradeNo: id, OutRefundNo: r.RefundID, RefundFen: r.Fen, TotalFen: r.Fen, Reason: refundReason,
					})
				}
			}
			out = append(out, b)
		}
	})
	return out
}

func (c *Collector) ask(ctx context.Context, b business) error {
	if b.open {
		return c.askForFee(ctx, b)
	}
	for _, r := range b.returns {
		if err := c.giveBack(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

func (c *Collector) giveBack(ctx context.Context, r wechatpay.RefundRequest) error {
	status, err := c.Provider.Refund(ctx, r)
	switch {
	case err != nil:
		return err
	case status.State == wechatpay.RefundClosed || status.State == wechatpay.RefundAbnormal:
		return errRefundStuck
	default:
		return c.Fees.Refunded(ctx, status)
	}
}

// askForFee closes the payment when its time is over. Closing comes after asking and is refused by
// the provider if money came in between, so that no fee is lost.
func (c *Collector) askForFee(ctx context.Context, b business) error {
	trade, err := c.Provider.Query(ctx, b.id)
	switch {
	case err == nil && trade.Paid():
		return c.Fees.Received(ctx, trade)
	case err != nil && !errors.Is(err, wechatpay.ErrUnknown):
		return err
	case err == nil && trade.Over():
		return c.close(ctx, b)
	case c.Now().Before(b.expiresAt):
		return nil
	}
	err = c.Provider.Close(ctx, b.id)
	if err != nil && !errors.Is(err, wechatpay.ErrClosed) && !errors.Is(err, wechatpay.ErrUnknown) {
		return fmt.Errorf("close the payment: %w", err)
	}
	return c.close(ctx, b)
}

func (c *Collector) close(ctx context.Context, b business) error {
	return c.Journal.Do(ctx, about(b.personID, func(p *membership.Person, _ time.Time) ([]journal.Fact, error) {
		return membership.Close(p, b.id)
	}))
}
