package stock

import (
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
)

// Release takes back what a campaign's lane let go, under the id of that lane
// event. It never takes more than the campaign has, whatever the lane says: the
// pool's own count is what no unit may escape. A drained campaign is closed for
// good, so that a generation that is heard late gets nothing that nobody would
// let go any more; what it keeps is sold.
func (p *Pool) Release(e *orderv1.StockLetGo, cause string, now time.Time) []proto.Message {
	c, ok := p.Campaigns[e.GetCampaignUid()]
	if !ok || c.Released == cause {
		return nil
	}
	var facts []proto.Message
	if units := c.back(e.GetUnits()); len(units) > 0 {
		facts = append(facts, &brandv1.StockReleased{
			CampaignUid: e.GetCampaignUid(), BrandId: e.GetBrandId(), Units: units, Cause: cause,
		})
	}
	if e.GetDrained() && !c.Closed {
		facts = append(facts, &brandv1.CampaignHeard{
			Desired: &campaignv1.Desired{Uid: e.GetCampaignUid(), BrandId: e.GetBrandId(), Generation: e.GetGeneration(), Closed: true},
			At:      timestamppb.New(now),
		})
	}
	return facts
}

// back sums what was let go by SKU, in the order of the list, and caps it at
// what the campaign has.
func (c *Campaign) back(units []*orderv1.LetGoUnits) []*brandv1.AllocatedUnits {
	left := make(map[string]int64, len(units))
	var out []*brandv1.AllocatedUnits
	for _, u := range units {
		if _, seen := left[u.GetSku()]; !seen {
			left[u.GetSku()] = c.Given[u.GetSku()]
		}
		n := min(u.GetUnits(), left[u.GetSku()])
		if n <= 0 {
			continue
		}
		left[u.GetSku()] -= n
		out = append(out, &brandv1.AllocatedUnits{Sku: u.GetSku(), Units: n})
	}
	return out
}
