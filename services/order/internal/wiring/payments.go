package wiring

import (
	"context"
	"log/slog"

	"golang.org/x/sync/errgroup"

	"github.com/qingcang/qingcang/proto/eventkit"
	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/order/internal/app"
	"github.com/qingcang/qingcang/services/order/internal/eventin"
	"github.com/qingcang/qingcang/services/order/internal/httpapi"
	"github.com/qingcang/qingcang/services/order/internal/lane"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
	"github.com/qingcang/qingcang/services/order/internal/payment"
)

// orderEvents is where the payment journal is published.
const orderEvents = "order.events.v1"

// Provider is what takes and returns money and says so: *wechatpay.Client.
type Provider interface {
	provider
	httpapi.NoticeParser
}

type provider interface {
	app.Cashier
	app.Treasury
}

// newPayments puts the use cases of payment together.
func newPayments(j *app.PaymentJournal, lanes *lane.Lanes, pays provider, log *slog.Logger) *app.Payments {
	return app.NewPayments(app.PaymentsConfig{
		Journal: j, Orders: heldOrders{lanes}, Lane: lanes, Cashier: pays, Treasury: pays, Log: log,
	})
}

// tellStatus is what runs beside a lane's publisher: who publishes a lane tells
// how its campaigns are doing.
func tellStatus(s *app.CampaignStatus) func(context.Context, *lane.Lane) error {
	return func(ctx context.Context, l *lane.Lane) error { return s.Run(ctx, l) }
}

// paymentRoles are what the money side does with topics of the service's group.
// Who publishes a shard of the payment journal also does the shard's work.
func paymentRoles(j *app.PaymentJournal, work shardWork, conn *eventkit.Conn, log *slog.Logger) map[string]eventkit.Role {
	heard, relay := eventin.Role(j, log), j.Relay(conn, orderEvents)
	return map[string]eventkit.Role{
		eventin.LaneEvents:       heard,
		eventin.FulfilmentEvents: heard,
		orderEvents: {Own: func(ctx context.Context, a eventkit.Assignment) error {
			group, ctx := errgroup.WithContext(ctx)
			group.Go(func() error { return relay.Own(ctx, a) })
			group.Go(func() error { return work(ctx, a.Partition) })
			return group.Wait()
		}},
	}
}

// shardWork does what a shard of the payment journal waits for, until ctx ends.
type shardWork func(ctx context.Context, shard int) error

// alsoBills lets who works on the shard that keeps the bills compare them, too.
func alsoBills(work shardWork, bills *app.Bills) shardWork {
	return func(ctx context.Context, shard int) error {
		if shard != journal.ShardOf(payment.BillKey) {
			return work(ctx, shard)
		}
		group, ctx := errgroup.WithContext(ctx)
		group.Go(func() error { return work(ctx, shard) })
		group.Go(func() error { return bills.Run(ctx) })
		return group.Wait()
	}
}

// heldOrders asks the lanes which orders wait for money.
type heldOrders struct{ lanes *lane.Lanes }

// Held implements app.HeldOrders.
func (h heldOrders) Held(ctx context.Context, orderID, buyerID string) (payment.Held, error) {
	o, at, err := h.lanes.Order(ctx, orderID)
	if err != nil {
		return payment.Held{}, err
	}
	switch {
	case o.BuyerID != buyerID:
		return payment.Held{}, lane.ErrUnknownOrder
	case o.State == ledger.Confirmed:
		return payment.Held{}, payment.ErrPaid
	case o.State != ledger.Held:
		return payment.Held{}, payment.ErrHoldOver
	}
	return payment.Held{
		CampaignUID: o.CampaignUID, BuyerID: o.BuyerID, Fen: o.Fen, Deadline: o.Deadline, Lane: payment.LaneOf(at),
	}, nil
}
