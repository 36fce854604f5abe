//go:build mutant_answer_twice

package ledger

import "github.com/qingcang/qingcang/proto/lane/record"

// answered forgets all answers, on purpose: a notice that comes twice gives the
// money of a sale back.
func (*Ledger) answered(*record.Pay) bool { return false }
