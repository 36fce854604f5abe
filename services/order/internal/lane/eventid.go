//go:build !mutant_own_event_ids

package lane

import (
	"github.com/qingcang/qingcang/proto/eventkit"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
)

// eventID is "<topic>/<partition>/<offset>/<index>"; empty for no event. It stands apart so that a
// build with the tag mutant_own_event_ids can get it wrong.
func (l *Lane) eventID(p ledger.Position) string {
	if p == ledger.None {
		return ""
	}
	return eventkit.Position{Source: l.source, Seq: uint64(p.Offset), Index: uint32(p.Index)}.String()
}
