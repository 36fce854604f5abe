package httpapi

import (
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/qingcang/qingcang/services/order/internal/app"
)

// appendOrder appends an order as the contract writes it: what encoding shown(o) gives, for a tenth of
// the cost. A test compares the two.
func appendOrder(b []byte, o app.OrderView) []byte {
	b = appendText(append(b, `{"orderId":`...), o.ID)
	b = appendText(append(b, `,"campaignUid":`...), o.CampaignUID)
	b = appendText(append(b, `,"state":`...), string(o.State))
	b = append(b, `,"lines":[`...)
	for i, line := range o.Lines {
		b = appendText(append(comma(b, i), `{"sku":`...), line.SKU)
		b = appendInt(append(b, `,"units":`...), line.Units)
		b = appendInt(append(b, `,"priceFen":`...), int64(line.Price))
		b = append(b, '}')
	}
	b = append(b, `],"dropped":[`...)
	for i, dropped := range o.Dropped {
		b = appendText(append(comma(b, i), `{"sku":`...), dropped.SKU)
		b = appendInt(append(b, `,"units":`...), dropped.Units)
		b = appendText(append(b, `,"reason":`...), dropped.Reason)
		b = appendInt(append(b, `,"leftUnits":`...), dropped.Left)
		b = append(b, '}')
	}
	b = appendInt(append(b, `],"fen":`...), int64(o.Fen))
	b = appendInt(append(b, `,"refundedFen":`...), int64(o.Refunded))
	if !o.Deadline.IsZero() {
		b = o.Deadline.UTC().AppendFormat(append(b, `,"deadline":"`...), time.RFC3339Nano)
		b = append(b, '"')
	}
	return append(b, '}')
}

func comma(b []byte, i int) []byte {
	if i > 0 {
		b = append(b, ',')
	}
	return b
}

func appendInt(b []byte, n int64) []byte { return strconv.AppendInt(b, n, 10) }

// appendText quotes a string. Nearly all are ids and article numbers, in which nothing is to be escaped.
func appendText(b []byte, s string) []byte {
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			b, _ = jsontext.AppendQuote(b, s) // the error is of text that is not UTF-8: U+FFFD stands for it
			return b
		}
	}
	b = append(append(b, '"'), s...)
	return append(b, '"')
}
