package field

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
)

// group is the consumer group of the order service; who has a lane's partition publishes the lane.
const group = "order"

// Publishers says which lanes each replica publishes, as the broker sees it.
func (f *Field) Publishers(ctx context.Context) (map[string][]int, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	client := kafka.Client{Addr: kafka.TCP(strings.Split(f.brokers(), ",")...), Transport: transport}
	answer, err := client.DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{group}})
	if err != nil {
		return nil, fmt.Errorf("ask who publishes: %w", err)
	}
	lanes := map[string][]int{}
	for _, g := range answer.Groups {
		if g.Error != nil {
			return nil, fmt.Errorf("ask who publishes: %w", g.Error)
		}
		for _, member := range g.Members {
			replica, _, _ := strings.Cut(member.ClientID, "@")
			for _, topic := range member.MemberAssignments.Topics {
				if topic.Topic == LaneTopic {
					lanes[replica] = append(lanes[replica], topic.Partitions...)
				}
			}
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
