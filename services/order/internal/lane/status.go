package lane

import (
	"context"

	"google.golang.org/protobuf/proto"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/proto/lane/record"
)

// Version is what stays the same as long as a campaign's status does, but for its
// offset.
type Version struct {
	// Offset is behind the entry that last changed it.
	Offset int64
	// Built counts how often the lane has been built in this process.
	Built   int
	Stopped bool
}

// Versions returns the campaigns of the lane, those that have left it included.
func (l *Lane) Versions() map[string]Version {
	l.mu.RLock()
	defer l.mu.RUnlock()
	versions := map[string]Version{}
	for _, uid := range append(l.ledger.Campaigns(), l.ledger.Retirees()...) {
		versions[uid] = l.version(uid)
	}
	return versions
}

// version is read under the lock.
func (l *Lane) version(uid string) Version {
	return Version{Offset: l.ledger.Version(uid), Built: l.built, Stopped: l.stopped != nil}
}

// Status returns what the lane knows of a campaign, without its money.
func (l *Lane) Status(uid string) (*campaignv1.Status, Version, bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	known, ok := l.ledger.Status(uid)
	if !ok {
		return nil, Version{}, false
	}
	s := proto.CloneOf(known) // a retired campaign's is the ledger's own
	s.Offset = l.next
	if l.stopped != nil {
		s.Stopped = l.stopped.Error()
	}
	return s, l.version(uid), true
}

// Settle tells the lane that a campaign is over: each of its payments is settled
// and each of its orders final.
func (l *Lane) Settle(ctx context.Context, campaignUID string) error {
	return l.Do(ctx, &record.Settle{CampaignUID: campaignUID})
}
