//go:build mutant_body_in_id

package app

import (
	"fmt"

	"github.com/qingcang/qingcang/services/internal/ids"
)

// orderID lets another body under the same key be another order, on purpose: see orderid.go.
func orderID(c PlaceOrder) string {
	return ids.Derive("ord", c.Buyer.Scope(), placeRoute, c.CampaignUID, c.IdempotencyKey, fmt.Sprint(c.BodyHash))
}
