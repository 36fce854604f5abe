package world

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/money"
)

const address = "addr_01jz6j8f4tfk2b6a1n8x9q7r5m"

// Lost is the status of an answer that never came: its replica died first.
const Lost = 0

// Answer is what a replica said.
type Answer struct {
	Status int
	// Code is that of a problem, empty in any other answer.
	Code string
	// Order is set where the answer shows one.
	Order Order
	// Payment is the id of a payment that was opened.
	Payment    string
	RetryAfter string
	Text       string
	// Took is how long the caller waited.
	Took time.Duration
}

// Order is an order as the contract writes it.
type Order struct {
	ID       string     `json:"orderId"`
	State    string     `json:"state"`
	Fen      int64      `json:"fen"`
	Deadline *time.Time `json:"deadline"`
	Lines    []Line     `json:"lines"`
}

// Line is one line of an order or of a request for one.
type Line struct {
	SKU   string `json:"sku"`
	Units int64  `json:"units"`
}

// Ask is a request for an order.
type Ask struct {
	Buyer, Campaign, Key string
	Lines                []Line
}

// One asks for one unit of SKU "a".
func One(buyer, campaign, key string) Ask {
	return Ask{Buyer: buyer, Campaign: campaign, Key: key, Lines: []Line{{SKU: "a", Units: 1}}}
}

// Place asks for an order.
func (r *Replica) Place(a Ask) Answer {
	body := map[string]any{"addressId": address, "lines": a.Lines}
	return r.call(a.Buyer, http.MethodPost, "/v1/campaigns/"+a.Campaign+"/orders", a.Key, body)
}

// Show asks for an order as it stands.
func (r *Replica) Show(buyer, orderID string) Answer {
	return r.call(buyer, http.MethodGet, "/v1/orders/"+orderID, "", nil)
}

// Cancel gives a held order up.
func (r *Replica) Cancel(buyer, orderID string) Answer {
	return r.call(buyer, http.MethodPost, "/v1/orders/"+orderID+"/cancellation", "", nil)
}

func (r *Replica) probe(path string) Answer {
	return r.serve(httptest.NewRequestWithContext(r.world.Context(), http.MethodGet, path, nil))
}

func (r *Replica) call(buyer, method, path, key string, body any) Answer {
	raw, err := json.Marshal(body)
	if err != nil {
		r.world.Error(err)
		return Answer{}
	}
	if body == nil {
		raw = nil
	}
	request := httptest.NewRequestWithContext(r.world.Context(), method, path, bytes.NewReader(raw))
	if raw != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	request.Header.Set("Authorization", "Bearer "+r.world.token(buyer))
	return r.serve(request)
}

// Pay opens the payment of a held order, as its buyer's page does.
func (r *Replica) Pay(buyer, orderID string) Answer {
	return r.call(buyer, http.MethodPost, "/v1/orders/"+orderID+"/payments", "payment-of-"+orderID[len(orderID)-20:], nil)
}

// Notice tells the replica that the money for an order came.
func (r *Replica) Notice(order Order) Answer {
	notice := r.world.Provider.pay(order.ID, money.Fen(order.Fen))
	raw, err := json.Marshal(notice)
	if err != nil {
		r.world.Error(err)
		return Answer{}
	}
	request := httptest.NewRequestWithContext(r.world.Context(), http.MethodPost, "/v1/wechatpay/notices", bytes.NewReader(raw))
	request.Header.Set("Content-Type", "application/json")
	for _, name := range []string{"Timestamp", "Nonce", "Signature", "Serial"} {
		request.Header.Set("Wechatpay-"+name, "1")
	}
	return r.serve(request)
}

// serve calls the replica's handler. A caller of a replica that dies meanwhile gets no answer.
func (r *Replica) serve(request *http.Request) Answer {
	ctx, hangUp := context.WithCancel(request.Context())
	defer hangUp()
	began, answered := time.Now(), make(chan Answer, 1)
	r.ended.Go(func() {
		recorder := httptest.NewRecorder()
		r.Handler.ServeHTTP(recorder, request.WithContext(ctx))
		answered <- read(recorder)
	})
	a := Answer{}
	select {
	case <-r.gone:
	case a = <-answered:
		select {
		case <-r.gone: // at the same moment
			a = Answer{}
		default:
		}
	}
	a.Took = time.Since(began)
	return a
}

func read(recorder *httptest.ResponseRecorder) Answer {
	a := Answer{
		Status: recorder.Code, RetryAfter: recorder.Header().Get("Retry-After"), Text: recorder.Body.String(),
	}
	var problem struct {
		Code string `json:"code"`
	}
	if a.Status >= http.StatusBadRequest && json.Unmarshal(recorder.Body.Bytes(), &problem) == nil {
		a.Code = problem.Code
	}
	if a.Status < http.StatusBadRequest {
		var opened struct {
			PaymentID string `json:"paymentId"`
		}
		_ = json.Unmarshal(recorder.Body.Bytes(), &opened)
		a.Payment = opened.PaymentID
		_ = json.Unmarshal(recorder.Body.Bytes(), &a.Order) // a probe answers with text
	}
	return a
}

// token is a buyer's.
func (w *World) token(buyer string) string {
	payer, err := auth.SealSubject(w.buyers, buyer, "openid-of-"+buyer)
	if err != nil {
		w.Error(err)
	}
	token, err := auth.Sign(w.buyers, auth.Claims{Subject: buyer, Audience: auth.Buyer, Payer: payer}, time.Hour, time.Now())
	if err != nil {
		w.Error(err)
	}
	return token
}
