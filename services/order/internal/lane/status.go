package lane

import (
	"context"
	"slices"

	"google.golang.org/protobuf/proto"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/proto/lane/record"
)

// Statuses returns what the lane knows of each of its campaigns but those to be
// left out, those that left it included, without their money.
func (l *Lane) Statuses(leaveOut func(campaignUID string) bool) []*campaignv1.Status {
	l.mu.RLock()
	defer l.mu.RUnlock()
	uids := slices.DeleteFunc(append(l.ledger.Campaigns(), l.ledger.Retirees()...), leaveOut)
	statuses := make([]*campaignv1.Status, 0, len(uids))
	for _, uid := range uids {
		known, ok := l.ledger.Status(uid)
		if !ok {
			continue
		}
		s := proto.CloneOf(known)
		s.Offset = l.next
		if l.stopped != nil {
			s.Stopped = l.stopped.Error()
		}
		statuses = append(statuses, s)
	}
	return statuses
}

// Settle tells the lane that a campaign is over: each of its payments is settled
// and each of its orders final.
func (l *Lane) Settle(ctx context.Context, campaignUID string) error {
	return l.Do(ctx, &record.Settle{CampaignUID: campaignUID})
}
