//go:build mutant_early_answer

package app

import (
	"context"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
)

// decided promises the order before it is in the log, on purpose: see decided.go.
func (a *Orders) decided(ctx context.Context, lane *campaignv1.Lane, p *record.Place) (ledger.Order, error) {
	go func() { _, _ = a.lanes.Place(context.WithoutCancel(ctx), lane, p) }()
	return ledger.Order{
		ID: p.OrderID, CampaignUID: p.CampaignUID, BuyerID: p.BuyerID, BodyHash: p.BodyHash,
		Standing: ledger.Standing{State: ledger.Held},
	}, nil
}
