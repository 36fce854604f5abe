package field

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/qingcang/qingcang/hack/internal/client/order"
	"github.com/qingcang/qingcang/hack/internal/stack"
)

const (
	// attemptTimeout is how long a buyer waits for an answer before he asks again. The service itself
	// gives up after 30 s.
	attemptTimeout = 5 * time.Second
	dialTimeout    = 2 * time.Second
	idlePerReplica = 512
	// Between two attempts of a buyer who insists.
	firstPause = 20 * time.Millisecond
	lastPause  = 500 * time.Millisecond
	// address is well formed; nobody looks into it.
	address = "addr_01jz6j8f4tfk2b6a1n8x9q7r5m"
)

// Buyer is somebody with a token.
type Buyer struct{ ID, Token string }

// Intent is an order that a buyer means to place: however often it is asked for, under one key.
type Intent struct {
	Buyer    Buyer
	Key      string
	Campaign string
	Units    int64
}

// Answer is what a replica said.
type Answer struct {
	// Status is 0 when no answer came; Err then says why.
	Status int
	// Code is that of a refusal.
	Code    string
	OrderID string
	State   string
	// Prepay is what an opened payment is paid with, PaymentID its number at WeChat Pay.
	Prepay, PaymentID string
	// Unwritten is a refusal that stands in no log: by the time that the key comes again, it may be
	// answered otherwise.
	Unwritten bool
	Err       error
	Took      time.Duration
}

// String is the answer for a report.
func (a Answer) String() string {
	if a.Status == 0 {
		return fmt.Sprintf("no answer after %.1f s: %v", a.Took.Seconds(), a.Err)
	}
	return fmt.Sprintf("%d %s%s after %.2f s", a.Status, a.Code, a.State, a.Took.Seconds())
}

// Final reports whether asking again would change nothing.
func (a Answer) Final() bool {
	return a.Status >= 200 && a.Status < 500 && a.Status != http.StatusTooManyRequests && a.Status != http.StatusRequestTimeout
}

// Shop is the order service as buyers meet it. It is safe for concurrent use.
type Shop struct {
	tokens    *tokens
	http      *http.Client
	replicas  map[string]*order.ClientWithResponses
	ready     map[string]stack.Check
	simulator string
}

func newShop(keys string, a addresses) (*Shop, error) {
	s := &Shop{
		simulator: "http://" + a.sim, replicas: map[string]*order.ClientWithResponses{}, ready: map[string]stack.Check{},
		http: &http.Client{Transport: &http.Transport{
			DialContext: (&net.Dialer{Timeout: dialTimeout}).DialContext, MaxIdleConnsPerHost: idlePerReplica, MaxIdleConns: 0,
		}},
	}
	var err error
	if s.tokens, err = newTokens(filepath.Join(keys, "buyer")); err != nil {
		return nil, err
	}
	for name, at := range a.replicas {
		if s.replicas[name], err = order.NewClientWithResponses("http://"+at, order.WithHTTPClient(s.http)); err != nil {
			return nil, fmt.Errorf("make a client: %w", err)
		}
		s.ready[name] = stack.HTTPReady("http://" + at + "/readyz")
	}
	return s, nil
}

// Buyers returns n buyers whose ids begin alike.
func (s *Shop) Buyers(prefix string, n int) ([]Buyer, error) {
	buyers := make([]Buyer, n)
	for i := range buyers {
		id := fmt.Sprintf("mem_%s%0*d", prefix, 26-len(prefix), i)
		token, err := s.tokens.sign(id)
		if err != nil {
			return nil, err
		}
		buyers[i] = Buyer{ID: id, Token: token}
	}
	return buyers, nil
}

// Place asks one replica once.
func (s *Shop) Place(ctx context.Context, replica string, i Intent) Answer {
	return s.ask(ctx, func(ctx context.Context) (*http.Response, []byte, error) {
		r, err := s.replicas[replica].PlaceOrderWithResponse(ctx, i.Campaign, &order.PlaceOrderParams{IdempotencyKey: i.Key}, i.body(), bearer(i.Buyer))
		if err != nil {
			return nil, nil, err
		}
		return r.HTTPResponse, r.Body, nil
	})
}

func (i Intent) body() order.PlaceOrder {
	return order.PlaceOrder{AddressId: address, Lines: []order.Line{{Sku: SKU, Units: i.Units}}}
}

// Request is the intent as an HTTP request to a replica, for who sends it himself.
func (f *Field) Request(replica string, i Intent) (*http.Request, error) {
	request, err := order.NewPlaceOrderRequest(f.url(replica), i.Campaign, &order.PlaceOrderParams{IdempotencyKey: i.Key}, i.body())
	if err != nil {
		return nil, fmt.Errorf("render an order: %w", err)
	}
	return request, bearer(i.Buyer)(context.Background(), request)
}

// Show reads an order at one replica.
func (s *Shop) Show(ctx context.Context, replica string, b Buyer, id string) Answer {
	return s.ask(ctx, func(ctx context.Context) (*http.Response, []byte, error) {
		r, err := s.replicas[replica].GetOrderWithResponse(ctx, id, bearer(b))
		if err != nil {
			return nil, nil, err
		}
		return r.HTTPResponse, r.Body, nil
	})
}

// Cancel gives an order up at one replica.
func (s *Shop) Cancel(ctx context.Context, replica string, b Buyer, id string) Answer {
	return s.ask(ctx, func(ctx context.Context) (*http.Response, []byte, error) {
		r, err := s.replicas[replica].CancelOrderWithResponse(ctx, id, bearer(b))
		if err != nil {
			return nil, nil, err
		}
		return r.HTTPResponse, r.Body, nil
	})
}

// OpenPayment asks one replica for the payment of an order.
func (s *Shop) OpenPayment(ctx context.Context, replica string, b Buyer, id string) Answer {
	return s.ask(ctx, func(ctx context.Context) (*http.Response, []byte, error) {
		r, err := s.replicas[replica].PayOrderWithResponse(ctx, id, &order.PayOrderParams{IdempotencyKey: "pay-" + id}, bearer(b))
		if err != nil {
			return nil, nil, err
		}
		return r.HTTPResponse, r.Body, nil
	})
}

// Confirm is the thumb on the phone: WeChat takes the money and tells the order service.
func (s *Shop) Confirm(ctx context.Context, prepay string) Answer {
	return s.ask(ctx, func(ctx context.Context) (*http.Response, []byte, error) {
		body, err := json.Marshal(map[string]string{"prepayId": prepay})
		if err != nil {
			return nil, nil, err
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.simulator+"/sim/pay", bytes.NewReader(body))
		if err != nil {
			return nil, nil, err
		}
		answer, err := s.http.Do(request)
		if err != nil {
			return nil, nil, err
		}
		defer func() { _ = answer.Body.Close() }() // it was only read
		text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<16))
		return answer, text, err
	})
}

// Ready asks a replica whether it would take requests.
func (s *Shop) Ready(ctx context.Context, replica string) error { return s.ready[replica](ctx) }

// ask bounds one request and reads what came.
func (s *Shop) ask(ctx context.Context, do func(context.Context) (*http.Response, []byte, error)) Answer {
	if _, bounded := ctx.Deadline(); !bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, attemptTimeout)
		defer cancel()
	}
	started := time.Now()
	r, body, err := do(ctx) //nolint:bodyclose // who read the body has closed it
	a := Answer{Err: err, Took: time.Since(started)}
	if err != nil {
		return a
	}
	a.Status, a.Unwritten = r.StatusCode, r.Header.Get("X-Lane-Offset") != ""
	var said struct {
		Code, OrderID, State, PaymentID string
		Payment                         struct{ PrepayID string }
	}
	if err := json.Unmarshal(body, &said); err != nil { // a proxy's page, say
		a.Err = fmt.Errorf("an answer that is no JSON: %w", err)
		return a
	}
	a.Code, a.OrderID, a.State = said.Code, said.OrderID, said.State
	a.Prepay, a.PaymentID = said.Payment.PrepayID, said.PaymentID
	return a
}

// Insist asks again and again, at one replica and the other, until the answer is final or ctx ends.
// The last answer counts.
func Insist(ctx context.Context, try func(ctx context.Context, replica string) Answer) Answer {
	pause := firstPause
	turn := rand.IntN(len(Replicas))
	for {
		attempt, cancel := context.WithTimeout(ctx, attemptTimeout)
		a := try(attempt, Replicas[turn%len(Replicas)])
		cancel()
		if a.Final() {
			return a
		}
		turn++
		timer := time.NewTimer(pause/2 + rand.N(pause))
		select {
		case <-ctx.Done():
			timer.Stop()
			a.Err = errors.Join(ctx.Err(), a.Err)
			return a
		case <-timer.C:
		}
		pause = min(2*pause, lastPause)
	}
}

// Buy insists on an order.
func (s *Shop) Buy(ctx context.Context, i Intent) Answer {
	return Insist(ctx, func(ctx context.Context, replica string) Answer { return s.Place(ctx, replica, i) })
}

// Pay insists on paying an order, and returns once the money is WeChat's.
func (s *Shop) Pay(ctx context.Context, b Buyer, id string) Answer {
	opened := Insist(ctx, func(ctx context.Context, replica string) Answer { return s.OpenPayment(ctx, replica, b, id) })
	if opened.Status != http.StatusOK {
		return opened
	}
	return Insist(ctx, func(ctx context.Context, _ string) Answer { return s.Confirm(ctx, opened.Prepay) })
}

func bearer(b Buyer) func(context.Context, *http.Request) error {
	return func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+b.Token)
		return nil
	}
}
