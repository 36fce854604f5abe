package field

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/qingcang/qingcang/hack/internal/offers"
)

// group is the consumer group of the order service; who has a lane's partition publishes the lane.
const group = "order"

// Publishers says which lanes each replica publishes, as the broker sees it; one that publishes none
// is left out.
func (f *Field) Publishers(ctx context.Context) (map[string][]int, error) {
	members, err := f.Conn.Members(ctx, group)
	if err != nil {
		return nil, err
	}
	lanes := map[string][]int{}
	for _, m := range members {
		if replica, _, _ := strings.Cut(m.Client, "@"); len(m.Partitions[offers.LaneTopic]) > 0 {
			lanes[replica] = append(lanes[replica], m.Partitions[offers.LaneTopic]...)
		}
	}
	return lanes, nil
}

// AwaitPublishers returns who publishes when each lane has a publisher and the wanted condition holds.
func (f *Field) AwaitPublishers(ctx context.Context, wanted func(map[string][]int) bool) (map[string][]int, error) {
	var lanes map[string][]int
	err := persist(ctx, func() error {
		var err error
		if lanes, err = f.Publishers(ctx); err != nil {
			return err
		}
		var all []int
		for _, of := range lanes {
			all = append(all, of...)
		}
		slices.Sort(all)
		if len(slices.Compact(all)) != Lanes() || !wanted(lanes) {
			return errors.New("the lanes are not assigned as wanted")
		}
		return nil
	})
	return lanes, err
}

// AtRest returns when every lane has a publisher and nobody joins or leaves. A replica is not killed
// before: a member that dies between asking for its share and hearing of it is missed by the embedded
// broker only after ten seconds of silence and a round of joining, in which no lane is published.
func (f *Field) AtRest(ctx context.Context) error {
	_, err := f.AwaitPublishers(ctx, func(map[string][]int) bool { return true })
	return err
}

// CrashAtRest crashes a replica when the group is at rest.
func (f *Field) CrashAtRest(ctx context.Context, replica string) error {
	if err := f.AtRest(ctx); err != nil {
		return err
	}
	return f.Crash(replica)
}
