package share_test

import (
	"errors"
	"testing"

	ownerv1 "github.com/qingcang/qingcang/proto/gen/owner/v1"
	"github.com/qingcang/qingcang/services/store-owner/internal/share"
)

func TestTakingALink(t *testing.T) {
	first := share.What{CampaignUID: "c1", StyleNo: "A1"}
	shelf := share.NewShelf()
	shelf.Apply(&ownerv1.ShareCreated{ShareId: "share_1", OwnerId: "per_1", CampaignUid: "c1", StyleNo: "A1"})
	for name, test := range map[string]struct {
		shelf  *share.Shelf
		create share.Create
		facts  int
		want   error
	}{
		"the first link is made": {
			create: share.Create{ShareID: "share_1", What: first}, facts: 1,
		},
		"a repeat makes nothing": {
			shelf: shelf, create: share.Create{ShareID: "share_1", What: first},
		},
		"another key for the same style makes nothing": {
			shelf: shelf, create: share.Create{ShareID: "share_2", What: first},
		},
		"another style of the campaign gets its own": {
			shelf: shelf, create: share.Create{ShareID: "share_2", What: share.What{CampaignUID: "c1", StyleNo: "A2"}}, facts: 1,
		},
		"the same style in another campaign gets its own": {
			shelf: shelf, create: share.Create{ShareID: "share_2", What: share.What{CampaignUID: "c2", StyleNo: "A1"}}, facts: 1,
		},
		"a key that made another link is refused": {
			shelf: shelf, create: share.Create{ShareID: "share_1", What: share.What{CampaignUID: "c1", StyleNo: "A2"}}, want: share.ErrKeyReused,
		},
	} {
		t.Run(name, func(t *testing.T) {
			facts, err := test.create.Decide(test.shelf)
			if !errors.Is(err, test.want) || len(facts) != test.facts {
				t.Fatalf("got %v and %d facts, want %v and %d", err, len(facts), test.want, test.facts)
			}
		})
	}
}
