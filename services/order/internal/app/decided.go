//go:build !mutant_early_answer

package app

import (
	"context"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
)

// decided asks the lane for an order and waits until it is in the log and decided. It stands apart so
// that a build with the tag mutant_early_answer can get it wrong.
func (a *Orders) decided(ctx context.Context, lane *campaignv1.Lane, p *record.Place) (ledger.Order, error) {
	return a.lanes.Place(ctx, lane, p)
}
