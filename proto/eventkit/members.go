package eventkit

import (
	"context"
	"fmt"
	"strings"

	"github.com/segmentio/kafka-go"
)

// Member is a process in a consumer group, as the broker sees it.
type Member struct {
	// Client is the name of its program and host: kafka-go calls itself so.
	Client string
	// Partitions are those that it was assigned, by topic.
	Partitions map[string][]int
}

// Members lists a group's members; none while the partitions are being shared out anew. A member that
// died is among them until the broker misses it.
func (c *Conn) Members(ctx context.Context, group string) ([]Member, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	answer, err := c.client.DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{c.name(group)}})
	if err != nil {
		return nil, fmt.Errorf("ask for the members of %s: %w", group, err)
	}
	var members []Member
	for _, g := range answer.Groups {
		if g.Error != nil {
			return nil, fmt.Errorf("ask for the members of %s: %w", group, g.Error)
		}
		if g.GroupState != "Stable" {
			continue
		}
		for _, m := range g.Members {
			member := Member{Client: m.ClientID, Partitions: map[string][]int{}}
			for _, t := range m.MemberAssignments.Topics {
				member.Partitions[strings.TrimPrefix(t.Topic, c.cfg.TopicPrefix)] = t.Partitions
			}
			members = append(members, member)
		}
	}
	return members, nil
}
