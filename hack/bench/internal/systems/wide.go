package systems

import (
	"fmt"

	"github.com/qingcang/qingcang/hack/bench/internal/load"
	"github.com/qingcang/qingcang/hack/internal/offers"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
)

// Wide is an assortment: so many campaigns with so many SKUs each, all in one lane.
type Wide struct{ Campaigns, SKUs int }

const (
	// wideUnits are never sold out.
	wideUnits = 10_000_000
	// wideOrders bounds the requests that are rendered, at about 1 kB each.
	wideOrders = 20_000
	// wideStride is prime: orders go round all campaigns and all over their SKUs.
	wideStride = 7_919
)

func (Wide) uid(campaign int) string { return fmt.Sprintf("bench-wide-%04d", campaign) }

func (Wide) sku(n int) string { return fmt.Sprintf("69%011d", n) }

// campaigns are the desired states.
func (w Wide) campaigns() []*campaignv1.Desired {
	all := make([]*campaignv1.Desired, 0, w.Campaigns)
	for c := range w.Campaigns {
		d := desired(w.uid(c))
		for n := range w.SKUs {
			d.Items = append(d.Items, offers.Item(w.sku(n), wideUnits))
		}
		all = append(all, d)
	}
	return all
}

// WideOrders renders requests all over an assortment.
func (f *Field) WideOrders(w Wide) (*load.Orders, error) {
	orders := make([]load.Order, min(wideOrders, w.Campaigns*w.SKUs))
	for i := range orders {
		orders[i] = load.Order{Campaign: w.uid(i % w.Campaigns), SKU: w.sku(i * wideStride % w.SKUs), Units: 1, Address: address}
	}
	return load.NewOrders(f.Mark(), f.tokens, orders...)
}
