package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// silentFor is how long a member of a settled group may say nothing. Clients speak every three
	// seconds or more often.
	silentFor = 10 * time.Second
	lookEvery = time.Second
	// lookTimeout bounds one look at all groups.
	lookTimeout = 5 * time.Second
)

// silent makes members leave that are gone. kfake misses a member whose connection dies while it waits
// for its place in a group: it starts that member's session with the answer, which it cannot give, so
// that the member keeps its partitions for ever and nobody works on them. Kafka's session runs all the
// same. Here such a member leaves when it was silent for longer than any session that is used.
type silent struct {
	client *kgo.Client
	log    *slog.Logger

	mu    sync.Mutex
	heard map[member]time.Time
}

type member struct{ group, id string }

// watchMembers listens to what members say to the cluster. The caller runs it.
func watchMembers(cluster *kfake.Cluster, address string, log *slog.Logger) (*silent, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(address))
	if err != nil {
		return nil, fmt.Errorf("prepare a client of the broker's own: %w", err)
	}
	s := &silent{client: client, log: log, heard: map[member]time.Time{}}
	for _, key := range []kmsg.Key{kmsg.Heartbeat, kmsg.SyncGroup} {
		cluster.ControlKey(key.Int16(), func(r kmsg.Request) (kmsg.Response, error, bool) {
			s.hear(r)
			return nil, nil, false // the cluster answers
		})
	}
	return s, nil
}

func (s *silent) hear(r kmsg.Request) {
	var from member
	switch r := r.(type) {
	case *kmsg.HeartbeatRequest:
		from = member{r.Group, r.MemberID}
	case *kmsg.SyncGroupRequest:
		from = member{r.Group, r.MemberID}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard[from] = time.Now()
}

// run looks at the groups until ctx ends.
func (s *silent) run(ctx context.Context) {
	defer s.client.Close()
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := s.look(ctx); err != nil && ctx.Err() == nil {
				s.log.Error("cannot look for silent members of groups", slog.Any("error", err))
			}
		}
	}
}

// look asks which members there are and has the silent ones leave.
func (s *silent) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	// The seed is asked and nobody else: with -advertise the cluster names a proxy.
	broker := s.client.SeedBrokers()[0]
	groups, err := s.settled(ctx, broker)
	if err != nil {
		return err
	}
	var errs []error
	for _, gone := range s.gone(groups, time.Now()) {
		s.log.Warn("a member of a group is silent and leaves", "group", gone.group, "member", gone.id)
		leave := kmsg.NewPtrLeaveGroupRequest()
		leave.Group, leave.MemberID = gone.group, gone.id
		one := kmsg.NewLeaveGroupRequestMember()
		one.MemberID = gone.id
		leave.Members = append(leave.Members, one)
		_, err := broker.Request(ctx, leave)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// settled returns the members of the groups that are not choosing anew just now.
func (s *silent) settled(ctx context.Context, broker *kgo.Broker) ([]member, error) {
	listed, err := broker.Request(ctx, kmsg.NewPtrListGroupsRequest())
	if err != nil {
		return nil, fmt.Errorf("list the groups: %w", err)
	}
	describe := kmsg.NewPtrDescribeGroupsRequest()
	for _, group := range listed.(*kmsg.ListGroupsResponse).Groups {
		describe.Groups = append(describe.Groups, group.Group)
	}
	if len(describe.Groups) == 0 {
		return nil, nil
	}
	described, err := broker.Request(ctx, describe)
	if err != nil {
		return nil, fmt.Errorf("describe the groups: %w", err)
	}
	var members []member
	for _, group := range described.(*kmsg.DescribeGroupsResponse).Groups {
		if group.State != "Stable" {
			continue
		}
		for _, m := range group.Members {
			members = append(members, member{group.Group, m.MemberID})
		}
	}
	return members, nil
}

// gone returns those of the members that were silent too long, and forgets who is no member any more.
// One that was never heard of is silent from now on.
func (s *silent) gone(members []member, now time.Time) []member {
	s.mu.Lock()
	defer s.mu.Unlock()
	still := make(map[member]time.Time, len(members))
	var gone []member
	for _, m := range members {
		at, heard := s.heard[m]
		if !heard {
			at = now
		}
		if now.Sub(at) > silentFor {
			gone = append(gone, m)
			continue
		}
		still[m] = at
	}
	s.heard = still
	return gone
}
