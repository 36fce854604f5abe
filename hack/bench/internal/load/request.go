// Package load sends orders over raw sockets: HTTP/1.1 with keep-alive and one request in flight on
// each connection, rendered before the clock starts. One thread drives all connections by epoll, so
// that the generator costs as little as it can of a machine that it shares with what it measures.
package load

import (
	"fmt"
	"strings"
	"sync/atomic"
)

// keyBytes is the length of an Idempotency-Key: a run's mark and a number.
const (
	keyBytes   = 24
	markBytes  = 8
	countBytes = keyBytes - markBytes
)

// Orders renders requests for one order each. It is safe for concurrent use.
type Orders struct {
	templates []template
	issued    atomic.Uint64
}

// template is one buyer's request; the bytes at key are overwritten for each order.
type template struct {
	request []byte
	key     int
}

// Order is what is asked for, time after time.
type Order struct {
	Campaign, SKU, Address string
	Units                  int64
}

// NewOrders renders as many requests as there are tokens or orders, whichever are more; the others
// come round again. The mark sets the keys of a run apart; it has 8 characters.
func NewOrders(mark string, tokens []string, orders ...Order) (*Orders, error) {
	if len(mark) != markBytes || len(tokens) == 0 || len(orders) == 0 {
		return nil, fmt.Errorf("a mark of %d characters, a token and an order are wanted, not %q, %d tokens, %d orders", markBytes, mark, len(tokens), len(orders))
	}
	out := &Orders{}
	for i := range max(len(tokens), len(orders)) {
		token, o := tokens[i%len(tokens)], orders[i%len(orders)]
		body := fmt.Sprintf(`{"addressId":%q,"lines":[{"sku":%q,"units":%d}]}`, o.Address, o.SKU, o.Units)
		head := "POST /v1/campaigns/" + o.Campaign + "/orders HTTP/1.1\r\nHost: orders.example\r\nAuthorization: Bearer " + token +
			"\r\nContent-Type: application/json\r\nIdempotency-Key: "
		request := head + mark + strings.Repeat("0", countBytes) + fmt.Sprintf("\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		out.templates = append(out.templates, template{request: []byte(request), key: len(head)})
	}
	return out, nil
}

// Next writes the next request into buffer and returns it.
func (o *Orders) Next(buffer []byte) []byte { return o.render(buffer, o.issued.Add(1)-1) }

// Again writes the nth request, counted from 0: the same order as before.
func (o *Orders) Again(buffer []byte, n uint64) []byte { return o.render(buffer, n) }

func (o *Orders) render(buffer []byte, n uint64) []byte {
	t := &o.templates[n%uint64(len(o.templates))]
	buffer = append(buffer[:0], t.request...)
	digits := buffer[t.key+markBytes : t.key+keyBytes]
	for i := len(digits) - 1; i >= 0; i-- {
		digits[i] = "0123456789abcdef"[n&15]
		n >>= 4
	}
	return buffer
}
