//go:build !mutant_short_is_paid

package settlement

import (
	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	moneyv1 "github.com/qingcang/qingcang/proto/gen/money/v1"
	"github.com/qingcang/qingcang/services/internal/book"
	"github.com/qingcang/qingcang/services/internal/money"
)

// reversal takes the brand's part of what was short or came back. It stands apart
// so that a build with the tag mutant_short_is_paid can get it wrong.
func reversal(id, pending, proceeds string, _ brandv1.SettlementPosted_Kind, fen money.Fen) *moneyv1.Posting {
	return book.Post(id, book.Debit(pending, fen), book.Credit(proceeds, fen))
}
