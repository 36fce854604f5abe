package wiring

import (
	"context"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/order/internal/lane"
)

// laneCollection keeps the snapshots of the shared lanes, and a collection of its own, with the campaign's uid
// behind this, those of a dedicated lane. What they hold may be deleted: the lanes' logs are the truth.
const (
	laneCollection      = "lanes_shared"
	dedicatedCollection = "lane_"
	snapshotSuffix      = "_snapshots" // as journal.NewMongoStore has it
)

// dedicatedSnapshots implements lane.DedicatedSnapshots.
type dedicatedSnapshots struct{ db *mongo.Database }

func (d dedicatedSnapshots) Of(campaignUID string) lane.Snapshots {
	return journal.NewMongoStore(d.db, dedicatedCollection+campaignUID)
}

func (d dedicatedSnapshots) Forget(ctx context.Context, campaignUID string) error {
	if err := d.db.Collection(dedicatedCollection + campaignUID + snapshotSuffix).Drop(ctx); err != nil {
		return fmt.Errorf("drop the snapshots of the lane of campaign %s: %w", campaignUID, err)
	}
	return nil
}
