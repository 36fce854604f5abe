package wiring_test

import (
	"errors"
	"net/http"
	"testing"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/testkit"
)

// TestOrdersOverTwoReplicas: one replica's answers are the other's.
func TestOrdersOverTwoReplicas(t *testing.T) {
	w := newWorld(t, 2)
	w.opens("sale", 5, 600)

	key := w.key()
	placed := w.call(0, "ann", http.MethodPost, ordersOf("sale"), key, order(3)).want(t, http.StatusCreated, "")
	id := placed.text("orderId")
	if placed.text("state") != "held" || placed.body["fen"] != 300.0 || placed.text("deadline") == "" {
		t.Errorf("placed: %v", placed.body)
	}
	t.Run("the other replica shows it", func(t *testing.T) {
		got := w.call(1, "ann", http.MethodGet, "/v1/orders/"+id, "", nil).want(t, http.StatusOK, "")
		if got.text("state") != "held" || got.body["refundedFen"] != 0.0 {
			t.Errorf("shown: %v", got.body)
		}
	})
	t.Run("the same key at the other replica is the same order", func(t *testing.T) {
		again := w.call(1, "ann", http.MethodPost, ordersOf("sale"), key, order(3)).want(t, http.StatusCreated, "")
		if again.text("orderId") != id {
			t.Errorf("another order %s", again.text("orderId"))
		}
	})
	t.Run("the same key with another body is refused", func(t *testing.T) {
		w.call(1, "ann", http.MethodPost, ordersOf("sale"), key, order(1)).want(t, http.StatusUnprocessableEntity, "idempotency_key_reused")
	})
	t.Run("more than is left is refused and says what is left", func(t *testing.T) {
		refused := w.place(1, "bob", "sale", 3).want(t, http.StatusConflict, "sold_out")
		if faults, ok := refused.body["errors"].([]any); !ok || len(faults) != 1 {
			t.Errorf("errors are %v", refused.body["errors"])
		}
	})
	t.Run("somebody else does not see it", func(t *testing.T) {
		w.call(0, "bob", http.MethodGet, "/v1/orders/"+id, "", nil).want(t, http.StatusNotFound, "unknown_order")
	})
	t.Run("cancelled at one replica, its stock is free at the other", func(t *testing.T) {
		cancelled := w.call(1, "ann", http.MethodPost, "/v1/orders/"+id+"/cancellation", "", nil).want(t, http.StatusOK, "")
		if cancelled.text("state") != "cancelled" {
			t.Errorf("cancelled: %v", cancelled.body)
		}
		w.place(0, "bob", "sale", 5).want(t, http.StatusCreated, "")
	})
}

func TestBadOrders(t *testing.T) {
	w := newWorld(t, 1)
	w.opens("sale", 20, 600)
	token, err := auth.EncodeShare(w.shares, auth.ShareToken{ShareID: "share", Owner: "owner", Campaign: "sale", Style: "style"})
	if err != nil {
		t.Fatal(err)
	}
	with := func(name string, value any) map[string]any {
		body := order(1)
		body[name] = value
		return body
	}
	changed := "A" + token[1:]
	if changed == token {
		changed = "B" + token[1:]
	}
	for name, c := range map[string]struct {
		buyer  string
		uid    string
		key    string
		body   map[string]any
		status int
		code   string
	}{
		"nobody":           {"", "sale", w.key(), order(1), http.StatusUnauthorized, "no_credentials"},
		"no key":           {"ann", "sale", "", order(1), http.StatusBadRequest, "request_invalid"},
		"an unknown field": {"ann", "sale", w.key(), with("price", 1), http.StatusBadRequest, "request_invalid"},
		"no units":         {"ann", "sale", w.key(), order(0), http.StatusBadRequest, "request_invalid"},
		"a share link with one character changed": {"ann", "sale", w.key(), with("shareToken", changed), http.StatusBadRequest, "share_token_invalid"},
		"a share link":           {"ann", "sale", w.key(), with("shareToken", token), http.StatusCreated, ""},
		"an unknown campaign":    {"ann", "none", w.key(), order(1), http.StatusNotFound, "unknown_campaign"},
		"over the buyer's limit": {"bob", "sale", w.key(), order(11), http.StatusConflict, "over_limit"},
	} {
		t.Run(name, func(t *testing.T) {
			w.call(0, c.buyer, http.MethodPost, ordersOf(c.uid), c.key, c.body).want(t, c.status, c.code)
		})
	}
}

// TestAHoldRunsOut: the stock comes back, and is sold to another.
func TestAHoldRunsOut(t *testing.T) {
	w := newWorld(t, 1)
	w.opens("sale", 1, 5)
	id := w.place(0, "ann", "sale", 1).want(t, http.StatusCreated, "").text("orderId")
	w.place(0, "bob", "sale", 1).want(t, http.StatusConflict, "sold_out")
	testkit.Eventually(t, patience, func() error {
		if state := w.call(0, "ann", http.MethodGet, "/v1/orders/"+id, "", nil).text("state"); state != "expired" {
			return errors.New("the order is " + state)
		}
		return nil
	})
	w.place(0, "bob", "sale", 1).want(t, http.StatusCreated, "")
}

// TestARestartForgetsNothing: a replica that starts late, and one that stops in
// the middle, change nothing.
func TestARestartForgetsNothing(t *testing.T) {
	w := newWorld(t, 0)
	stop := w.start()
	w.opens("sale", 3, 600)
	id := w.place(0, "ann", "sale", 2).want(t, http.StatusCreated, "").text("orderId")
	stop()
	w.start()
	shown := w.call(1, "ann", http.MethodGet, "/v1/orders/"+id, "", nil).want(t, http.StatusOK, "")
	if shown.text("state") != "held" {
		t.Errorf("after the restart: %v", shown.body)
	}
	w.place(1, "bob", "sale", 2).want(t, http.StatusConflict, "sold_out")

	closed := &campaignv1.Desired{Uid: "sale", Generation: 2, BrandId: "brand", Closed: true, Lane: &campaignv1.Lane{Topic: "lanes.shared.v1", Partition: 2}}
	w.put(closed)
	w.phase("sale", campaignv1.Status_PHASE_DRAINING)
	w.place(1, "bob", "sale", 1).want(t, http.StatusConflict, "closed")
	w.call(1, "ann", http.MethodPost, "/v1/orders/"+id+"/cancellation", "", nil).want(t, http.StatusOK, "")
	if s := w.phase("sale", campaignv1.Status_PHASE_SETTLED); s.GetSoldUnits() != 0 || s.GetUnits() != 0 {
		t.Errorf("settled with %v", s)
	}
	w.call(1, "ann", http.MethodGet, "/v1/orders/"+id, "", nil).want(t, http.StatusNotFound, "unknown_order")
}
