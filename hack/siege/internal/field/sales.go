package field

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/qingcang/qingcang/hack/internal/offers"
	"github.com/qingcang/qingcang/proto/eventkit"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
)

// EventTopic is where the order service tells what the lanes decide.
const EventTopic = "order.lane-events.v1"

// SKU is what every campaign sells.
const SKU = "6901234567892"

const (
	// buyerLimit is that of a sale without one of its own: it is counted and not reached.
	buyerLimit = 1_000
	openWithin = 60 * time.Second
)

// Sale is a campaign of one SKU.
type Sale struct {
	UID   string
	Units int64
	Lane  int // partition
	// Limit is how many units a buyer may have; 0 is many.
	Limit int64
}

// Lanes is how many partitions there are.
func Lanes() int {
	topic, _ := eventkit.TopicNamed(offers.LaneTopic)
	return topic.Partitions
}

// Open wants the campaigns, gives them their stock, and returns when the order service says that
// they sell.
func (f *Field) Open(ctx context.Context, list ...Sale) error {
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	campaigns := make([]*campaignv1.Desired, len(list))
	for i, sale := range list {
		campaigns[i] = sale.desired()
	}
	if err := persist(ctx, func() error { return f.offers.Want(ctx, campaigns...) }); err != nil {
		return err
	}
	return f.offers.Await(ctx, offers.Open, campaigns...)
}

func (s Sale) desired() *campaignv1.Desired {
	d := offers.Desired("siege", s.UID, int32(s.Lane), offers.Item(SKU, s.Units))
	d.BuyerLimitUnits = cmp.Or(s.Limit, buyerLimit)
	return d
}

// persist repeats what fails while something is down, until ctx ends.
func persist(ctx context.Context, try func() error) error {
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-ticker.C:
		}
	}
}
