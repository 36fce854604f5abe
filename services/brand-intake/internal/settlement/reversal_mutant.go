//go:build mutant_short_is_paid

package settlement

import (
	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	moneyv1 "github.com/qingcang/qingcang/proto/gen/money/v1"
	"github.com/qingcang/qingcang/services/internal/book"
	"github.com/qingcang/qingcang/services/internal/money"
)

// reversal leaves a brand, on purpose, the money of what it did not ship.
func reversal(id, pending, proceeds string, kind brandv1.SettlementPosted_Kind, fen money.Fen) *moneyv1.Posting {
	if kind == brandv1.SettlementPosted_KIND_SHORT {
		return nil
	}
	return book.Post(id, book.Debit(pending, fen), book.Credit(proceeds, fen))
}
