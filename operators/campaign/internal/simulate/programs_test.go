package simulate_test

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

// lawful is a programme of two ranks that breaks no rule.
const lawful = `
apiVersion: sale.qingcang.io/v1alpha1
kind: OwnerProgram
metadata: {name: standard}
spec:
  title: Store owner
  feeFen: 39800
  feeReturnWindow: 168h
  returnWindow: 168h
  depth: 1
  ranks:
  - {name: member, rateBps: 6667}
  - {name: mentor, minOwnSalesFen: 5000000, rateBps: 10000}
`

// program is the lawful one with something put in its place.
func program(t testing.TB, change func(*v1alpha1.OwnerProgramSpec)) *v1alpha1.OwnerProgram {
	t.Helper()
	p := &v1alpha1.OwnerProgram{}
	if err := yaml.UnmarshalStrict([]byte(lawful), p); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&p.Spec)
	}
	return p
}

// signed is a second level of 20% with the consent that it needs.
func signed(s *v1alpha1.OwnerProgramSpec) {
	s.Depth = 2
	s.SignOff = &v1alpha1.SignOff{By: "Legal department", Reference: "LEG-2026-0417", Date: "2026-10-12", DocumentSHA256: strings.Repeat("0", 64)}
	s.Ranks[0].SecondLevelBps = 2_000
}

// campaign sells the items at 10% commission from noon of a day to the next in Shanghai.
func campaign(name, day, nextDay string, items ...v1alpha1.Item) *v1alpha1.Campaign {
	return &v1alpha1.Campaign{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: v1alpha1.CampaignSpec{
			Title: name, TimeZone: "Asia/Shanghai", CommissionBps: 1_000,
			StartAt: v1alpha1.Moment(day + "T12:00:00"), EndAt: v1alpha1.Moment(nextDay + "T12:00:00"), Items: items,
		},
	}
}

func item(sku string, priceFen, settlementFen, units int64) v1alpha1.Item {
	return v1alpha1.Item{SKU: sku, PriceFen: priceFen, SettlementFen: settlementFen, Units: units}
}
