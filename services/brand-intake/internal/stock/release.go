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
	back := c.back(e.GetUnits())
	if len(back) > 0 {
		facts = append(facts, &brandv1.StockReleased{
			CampaignUid: e.GetCampaignUid(), BrandId: e.GetBrandId(), Units: back, Cause: cause,
		})
	}
	if c.Closed {
		return facts
	}
	if e.GetDrained() {
		return append(facts, &brandv1.CampaignHeard{
			Desired: &campaignv1.Desired{Uid: e.GetCampaignUid(), BrandId: e.GetBrandId(), Generation: e.GetGeneration(), Closed: true},
			At:      timestamppb.New(now),
		})
	}
	if missed := c.missed(e.GetGeneration(), back); len(missed) > 0 {
		facts = append(facts, &brandv1.StockAllocated{
			CampaignUid: e.GetCampaignUid(), Generation: c.Allocated, BrandId: e.GetBrandId(), Lane: c.Lane.message(),
			Add: missed, TopUp: c.TopUps + 1,
		})
	}
	return facts
}

// back is what was let go by SKU, in the order of the list, capped at what the
// campaign has.
func (c *Campaign) back(units []*orderv1.LetGoUnits) []*brandv1.AllocatedUnits {
	sums := make(map[string]*brandv1.AllocatedUnits, len(units))
	var out []*brandv1.AllocatedUnits
	for _, u := range units {
		sum, seen := sums[u.GetSku()]
		if !seen {
			sum = &brandv1.AllocatedUnits{Sku: u.GetSku()}
			sums[u.GetSku()] = sum
		}
		n := min(u.GetUnits(), c.Given[u.GetSku()]-sum.GetUnits())
		if n <= 0 {
			continue
		}
		if sum.GetUnits() == 0 {
			out = append(out, sum)
		}
		sum.Units += n
	}
	return out
}

// missed is what the newest allocated generation wants of units that its lane
// let go before it knew of it. That generation was answered as if the campaign
// had them, so they are its again, without another question to the brand: they
// never were to leave. Its lane has none of them unless they are given anew.
func (c *Campaign) missed(letGoUnder int64, back []*brandv1.AllocatedUnits) []*brandv1.AllocatedUnits {
	if letGoUnder >= c.Allocated {
		return nil
	}
	var again []*brandv1.AllocatedUnits
	for _, u := range back {
		left := c.Given[u.GetSku()] - u.GetUnits()
		if n := min(u.GetUnits(), c.Agreed[u.GetSku()].Units-left); n > 0 {
			again = append(again, &brandv1.AllocatedUnits{Sku: u.GetSku(), Units: n})
		}
	}
	return again
}
