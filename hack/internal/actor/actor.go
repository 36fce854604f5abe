// Package actor plays the people of the trade through the public interfaces: staff, brands, store
// owners and buyers. It knows the contracts and nothing of the services behind them.
//
// Every write carries an Idempotency-Key or is one by nature, so that each is simply sent again
// when an answer is lost.
package actor

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/failsafe-go/failsafe-go/failsafehttp"

	"github.com/qingcang/qingcang/hack/internal/client/brandintake"
	"github.com/qingcang/qingcang/hack/internal/client/catalog"
	"github.com/qingcang/qingcang/hack/internal/client/fulfilment"
	"github.com/qingcang/qingcang/hack/internal/client/order"
	"github.com/qingcang/qingcang/hack/internal/client/storeowner"
	"github.com/qingcang/qingcang/hack/internal/suite"
)

// How long an actor goes on asking when a process is down: longer than a restart takes.
const (
	firstPause  = 50 * time.Millisecond
	lastPause   = time.Second
	maxPatience = 90 * time.Second
	maxRetries  = 200
)

// Cast makes actors for one suite. It is safe for concurrent use.
type Cast struct {
	http      *http.Client
	simulator string

	brands  *brandintake.ClientWithResponses
	catalog *catalog.ClientWithResponses
	owners  *storeowner.ClientWithResponses
	orders  *order.ClientWithResponses
	goods   *fulfilment.ClientWithResponses
}

// NewCast returns a cast for a suite's addresses.
func NewCast(a suite.Addresses) (*Cast, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // it is one
	transport.MaxIdleConnsPerHost = 128
	retries := failsafehttp.NewRetryPolicyBuilder().
		WithBackoff(firstPause, lastPause).WithJitterFactor(0.2).WithMaxRetries(maxRetries).WithMaxDuration(maxPatience).ReturnLastFailure().Build()
	c := &Cast{simulator: a.Simulator, http: &http.Client{Transport: failsafehttp.NewRoundTripper(transport, retries), Timeout: maxPatience + 30*time.Second}}
	var err error
	if c.brands, err = brandintake.NewClientWithResponses(a.BrandIntake, brandintake.WithHTTPClient(c.http)); err != nil {
		return nil, fmt.Errorf("brand-intake client: %w", err)
	}
	if c.catalog, err = catalog.NewClientWithResponses(a.Catalog, catalog.WithHTTPClient(c.http)); err != nil {
		return nil, fmt.Errorf("catalog client: %w", err)
	}
	if c.owners, err = storeowner.NewClientWithResponses(a.StoreOwner, storeowner.WithHTTPClient(c.http)); err != nil {
		return nil, fmt.Errorf("store-owner client: %w", err)
	}
	if c.orders, err = order.NewClientWithResponses(a.Order, order.WithHTTPClient(c.http)); err != nil {
		return nil, fmt.Errorf("order client: %w", err)
	}
	if c.goods, err = fulfilment.NewClientWithResponses(a.Fulfilment, fulfilment.WithHTTPClient(c.http)); err != nil {
		return nil, fmt.Errorf("fulfilment client: %w", err)
	}
	return c, nil
}

// Problem is a refusal as a service puts it (RFC 9457).
type Problem struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Errors []struct {
		Pointer string `json:"pointer"`
		Code    string `json:"code"`
		Detail  string `json:"detail"`
	} `json:"errors"`
}

// Error makes a Problem an error.
func (p *Problem) Error() string {
	out := fmt.Sprintf("%d %s: %s", p.Status, p.Code, p.Detail)
	for _, e := range p.Errors {
		out += fmt.Sprintf("; %s %s %s", e.Pointer, e.Code, e.Detail)
	}
	return out
}

// response is what every generated answer has.
type response interface{ StatusCode() int }

// take returns the body of an answer with the wanted status, else the problem.
func take[T any](r response, body []byte, want *T) (*T, error) {
	if want != nil {
		return want, nil
	}
	problem := &Problem{Status: r.StatusCode()}
	if json.Unmarshal(body, problem) != nil || problem.Code == "" {
		return nil, fmt.Errorf("unexpected answer %d: %.200s", r.StatusCode(), body)
	}
	return nil, problem
}

// bearer puts a token on a request.
func bearer(token string) func(context.Context, *http.Request) error {
	return func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+token)
		return nil
	}
}
