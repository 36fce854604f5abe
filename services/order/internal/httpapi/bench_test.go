package httpapi

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/order/internal/app"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
)

// holds is a desk that holds whatever is asked for.
type holds struct{ OrderDesk }

func (holds) Refusal(context.Context, app.PlaceOrder) (app.Refusal, error) { return app.Refusal{}, nil }

func (holds) Place(_ context.Context, c app.PlaceOrder) (app.OrderView, error) {
	return app.OrderView{
		State: app.OrderHeld,
		Order: ledger.Order{
			ID: "ord_5nywrgzcxxdjvgszx7yac8ydxd", CampaignUID: c.CampaignUID, Fen: 9_900,
			Lines:    []ledger.Line{{SKU: c.Lines[0].SKU, Units: c.Lines[0].Units, Price: 9_900}},
			Standing: ledger.Standing{State: ledger.Held, Deadline: time.Unix(1_800_000_000, 0)},
		},
	}, nil
}

// sink is a response that goes nowhere, so that the benchmark measures the door and not the recorder.
type sink struct {
	header http.Header
	status int
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) WriteHeader(status int)      { s.status = status }
func (s *sink) Write(b []byte) (int, error) { return len(b), nil }

// BenchmarkPlaceOrder is everything of an order but the network and the lane.
func BenchmarkPlaceOrder(b *testing.B) {
	keys, err := auth.NewKeys(map[string][]byte{"k1": bytes.Repeat([]byte{7}, 32)}, "k1")
	if err != nil {
		b.Fatal(err)
	}
	token, err := auth.Sign(keys, auth.Claims{Subject: "per_01h455vb4pex5vsknk084sn02q", Audience: auth.Buyer}, time.Hour, time.Now())
	if err != nil {
		b.Fatal(err)
	}
	handler, err := New(holds{}, NewPayments(nil, nil, nil, keys), nil, Door{Buyers: keys, Probes: http.NotFoundHandler(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	body := []byte(`{"addressId":"addr_01h455vb4pex5vsknk084sn02q","lines":[{"sku":"6901234567892","units":1}]}`)
	reader := bytes.NewReader(body)
	r := httptest.NewRequest(http.MethodPost, "/v1/campaigns/8c0c7f5a-3f0e-4a4e-9d51-0e6f3b8f0c11/orders", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", "test0001000000000000001f")
	r.ContentLength = int64(len(body))
	w := &sink{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		reader.Reset(body)
		r.Body = io.NopCloser(reader)
		clear(w.header)
		handler.ServeHTTP(w, r)
		if w.status != http.StatusCreated {
			b.Fatal(w.status)
		}
	}
}
