package lane

import (
	"context"

	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
)

// switchRules appends the switch to the rules that the deployment asks for, once. A
// replica that does not know them would stop at that entry: so they are asked for
// only when every replica runs a binary that knows them, in a roll-out of its own.
func (l *Lane) switchRules(ctx context.Context, wanted uint16) error {
	if wanted <= l.rules() {
		return nil
	}
	l.log.InfoContext(ctx, "lane switches its rules", "from", l.rules(), "to", wanted)
	return l.Do(ctx, &record.SwitchRules{Rules: wanted})
}

// rules is the number of the rules that count here now.
func (l *Lane) rules() (active uint16) {
	l.Peek(func(state *ledger.Ledger) { active = state.ActiveRules() })
	return active
}
