//go:build !mutant_body_in_id

package app

import "github.com/qingcang/qingcang/services/internal/ids"

// orderID follows from who asks, for which campaign and under which key, so that a retry asks for the
// same order. It stands apart so that a build with the tag mutant_body_in_id can get it wrong.
func orderID(c PlaceOrder) string {
	return ids.Derive("ord", c.Buyer.Scope(), placeRoute, c.CampaignUID, c.IdempotencyKey)
}
