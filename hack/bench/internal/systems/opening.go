package systems

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/qingcang/qingcang/hack/internal/offers"
	"github.com/qingcang/qingcang/proto/eventkit"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
)

// Opening is a sale that opens at a time to come.
type Opening struct {
	Sale
	At time.Time
}

// Openings announces sales, so many a second from first on and dealt out to all shared lanes, and returns
// when all have their stock.
func (us *Ours) Openings(ctx context.Context, mark string, first time.Time, seconds, each int) ([]Opening, error) {
	lanes, _ := eventkit.TopicNamed(offers.LaneTopic) // it is in the list: the service would not have started
	var sales []Opening
	var wanted []*campaignv1.Desired
	for n := range seconds * each {
		sale := Sale{Campaign: fmt.Sprintf("bench-opens-%s-%d", mark, n), SKU: "6901234567953", Units: 1_000}
		d := offers.Desired("bench", sale.Campaign, int32(n%lanes.Partitions), offers.Item(sale.SKU, sale.Units))
		at := first.Truncate(time.Second).Add(time.Duration(n/each) * time.Second)
		d.StartAt = timestamppb.New(at)
		sales, wanted = append(sales, Opening{sale, at}), append(wanted, d)
	}
	if err := us.offers.Want(ctx, wanted...); err != nil {
		return nil, err
	}
	return sales, us.offers.Await(ctx, offers.Waiting, wanted...)
}
