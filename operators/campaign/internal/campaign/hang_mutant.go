//go:build mutant_hang

package campaign

import campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"

// ended waits for the lane to be settled, on purpose: with the order service away no deletion ends.
func ended(s Snapshot) bool {
	return s.Published == nil || s.Published.GetClosed() && s.Lane.GetPhase() == campaignv1.Status_PHASE_SETTLED
}
