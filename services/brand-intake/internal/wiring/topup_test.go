package wiring_test

import (
	"net/http"
	"strings"
	"testing"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
)

// TestARaiseThatOvertakesALowering has the lane let units go under a generation
// that is no longer the newest when the service hears of it, with a restart in
// between, and hears of it twice.
func TestARaiseThatOvertakesALowering(t *testing.T) {
	s := newStack(t)
	brandID, key := s.brand("Yunshan")
	brand, staff := "/v1/brands/"+brandID, s.issuer.Token(t, "operations")
	sub := s.submit(brandID, key, "first-file", strings.NewReader(header+hat)).wants(http.StatusCreated)
	s.post(brand+"/submissions/"+text(t, sub, "submissionId")+"/approval", staff, "").wants(http.StatusOK)

	answers := []string{"sale/1: 690002 +8", "sale/2: ", "sale/3: 690002 +1"}
	for n, units := range []int64{8, 3, 9} {
		s.want(&campaignv1.Desired{Uid: "sale", BrandId: brandID, Generation: int64(n + 1), Items: []*campaignv1.Item{{Sku: "690002", Units: units, SettlementFen: 2000}}})
		s.wantAnswers(answers[:n+1]...)
	}
	s.halt()
	s.start()
	answers = append(answers, "sale/3: 690002 +5")
	letGo := func(id string, generation, units int64, drained bool) {
		s.say("order.lane-events.v1", 1, "lanes.shared.v1/1/"+id, &orderv1.StockLetGo{
			CampaignUid: "sale", BrandId: brandID, Generation: generation, Drained: drained, Units: []*orderv1.LetGoUnits{{Sku: "690002", Units: units}},
		})
	}
	letGo("40/0", 2, 5, false)
	s.wantAnswers(answers...)
	s.wantStock(brand, key, "690002: 10 approved, 9 allocated, 0 sold, 1 free")
	s.wantFreeByEvents(brand, key)
	letGo("40/0", 2, 5, false)
	letGo("60/0", 3, 9, true) // heard after the repeat
	s.wantStock(brand, key, "690002: 10 approved, 0 allocated, 0 sold, 10 free")
	s.wantAnswers(answers...)
	s.wantFreeByEvents(brand, key)
}
