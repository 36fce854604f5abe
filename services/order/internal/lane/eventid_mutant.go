//go:build mutant_own_event_ids

package lane

import (
	"github.com/qingcang/qingcang/proto/eventkit"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
)

// eventID depends on who publishes, on purpose: see eventid.go.
func (l *Lane) eventID(p ledger.Position) string {
	if p == ledger.None {
		return ""
	}
	return eventkit.Position{Source: l.source, Seq: uint64(p.Offset), Index: uint32(p.Index) + uint32(l.writer%1_000)}.String()
}
