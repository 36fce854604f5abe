//go:build mutant_answer_twice

package ledger

import lanev1 "github.com/qingcang/qingcang/proto/gen/lane/v1"

// answered forgets all answers, on purpose: a notice that comes twice gives the
// money of a sale back.
func (*Ledger) answered(*lanev1.Pay) bool { return false }
