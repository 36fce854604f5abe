package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"

	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/httpkit"
	"github.com/qingcang/qingcang/services/internal/ids"
	"github.com/qingcang/qingcang/services/order/internal/app"
)

// laneOffset names the offset up to which a lane had decided when it refused without an entry.
const laneOffset = "X-Lane-Offset"

// counter places orders. It stands in for the generated handler of the one operation by which a sale is
// fast or slow: the contract says what it takes and answers, and the tests hold it to that.
type counter struct {
	orders  OrderDesk
	limit   *httpkit.Limiter
	refused map[string]*httpkit.Prepared // by reason
}

func newCounter(orders OrderDesk, limit *httpkit.Limiter) (*counter, error) {
	c := &counter{orders: orders, limit: limit, refused: map[string]*httpkit.Prepared{}}
	for reason, f := range app.EarlyRefusals() {
		prepared, err := httpkit.Prepare(f)
		if err != nil {
			return nil, fmt.Errorf("render the refusal %s: %w", reason, err)
		}
		c.refused[reason] = prepared
	}
	return c, nil
}

// place answers 201 also for an order that the same key placed before. Who is refused whatever he asks
// for, or cannot be served in time, learns it before his body is read.
func (s *counter) place(ctx context.Context, call *httpkit.Call) error {
	if !call.Known {
		return auth.ErrNoCredentials
	}
	uid := call.Param("campaignUid")
	key, once := call.Header("Idempotency-Key")
	if !once || !goodKey(key) || !goodUID(uid) {
		return refuse(call)
	}
	order := app.PlaceOrder{Buyer: call.Principal, IdempotencyKey: key, CampaignUID: uid}
	refusal, err := s.orders.Refusal(ctx, order)
	if err != nil {
		return err
	}
	if refusal.Reason != "" {
		return s.answerRefusal(ctx, call, refusal)
	}
	if err := s.limit.Check(); err != nil {
		return err
	}
	body, err := call.Body()
	if err != nil {
		return err
	}
	order.BodyHash = ids.BodyHash(body)
	if decodeOrder(body, &order) != nil {
		return call.Refuse(body)
	}
	view, err := within(s.limit, func() (app.OrderView, error) { return s.orders.Place(ctx, order) })
	if err != nil {
		return err
	}
	return answerOrder(call, view)
}

// refuse says all that is wrong with a request whose path or header is.
func refuse(call *httpkit.Call) error {
	body, err := call.Body()
	if err != nil {
		return err
	}
	return call.Refuse(body)
}

func (s *counter) answerRefusal(ctx context.Context, call *httpkit.Call, r app.Refusal) error {
	prepared, ok := s.refused[r.Reason]
	if !ok {
		return fmt.Errorf("an order was refused for an unknown reason %q", r.Reason)
	}
	call.SetHeader(laneOffset, strconv.FormatInt(r.Offset, 10))
	return call.Problem(ctx, prepared)
}

// answers are buffers for orders as they are answered. One that grew over keptAnswer is not kept.
var answers = sync.Pool{New: func() any { b := make([]byte, 0, 1<<10); return &b }}

const keptAnswer = 64 << 10

func answerOrder(call *httpkit.Call, o app.OrderView) error {
	buffer, _ := answers.Get().(*[]byte)
	*buffer = appendOrder((*buffer)[:0], o)
	err := call.JSON(http.StatusCreated, *buffer)
	if cap(*buffer) <= keptAnswer {
		answers.Put(buffer)
	}
	return err
}
