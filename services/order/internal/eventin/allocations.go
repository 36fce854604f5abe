package eventin

import (
	"context"
	"log/slog"

	"github.com/qingcang/qingcang/proto/eventkit"
	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/internal/telemetry"
)

// BrandEvents has the answers of the brands' stock pools.
const BrandEvents = "brand.events.v1"

// Allocator tells a lane what a stock pool answered; on nil it is durable.
type Allocator interface {
	Allocate(ctx context.Context, lane *campaignv1.Lane, a *record.Allocate) error
}

// Allocations returns how a partition of BrandEvents is heard. A lane counts each
// answer and each top-up of a campaign once, so hearing one twice does no harm.
func Allocations(lanes Allocator, log *slog.Logger) eventkit.Role {
	return eventkit.Role{Handle: func(ctx context.Context, records []eventkit.Record) error {
		for _, r := range records {
			fact, err := r.Event.Decode()
			if err != nil {
				log.ErrorContext(ctx, "an undecodable event is left aside",
					"topic", r.Topic, "partition", r.Partition, "offset", r.Offset, "err", err)
				continue
			}
			lane, answer := allocation(fact)
			if answer == nil {
				continue
			}
			if err := lanes.Allocate(telemetry.Continue(ctx, r.Event.Traceparent), lane, answer); err != nil {
				return err
			}
		}
		return nil
	}}
}

// allocation is what a pool's answer means for a lane; nil for any other fact.
func allocation(fact any) (*campaignv1.Lane, *record.Allocate) {
	switch f := fact.(type) {
	case *brandv1.StockAllocated:
		a := &record.Allocate{CampaignUID: f.GetCampaignUid(), Generation: f.GetGeneration(), TopUp: f.GetTopUp()}
		for _, add := range f.GetAdd() {
			a.Add = append(a.Add, record.Units{SKU: add.GetSku(), Units: add.GetUnits()})
		}
		return f.GetLane(), a
	case *brandv1.StockRefused:
		return f.GetLane(), &record.Allocate{
			CampaignUID: f.GetCampaignUid(), Generation: f.GetGeneration(),
			RefusedReason: f.GetReason(), RefusedMessage: f.GetMessage(),
		}
	default:
		return nil, nil
	}
}
