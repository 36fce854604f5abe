package wiring_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/qingcang/qingcang/proto/eventkit"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/internal/ids"
	"github.com/qingcang/qingcang/services/internal/testkit"
)

// campaign announces a campaign and waits until the service knows it.
func (w *world) campaign(uid string) {
	w.t.Helper()
	if err := w.conn.Put(w.t.Context(), "campaigns.v1", uid, &campaignv1.Desired{Uid: uid, Generation: 1}); err != nil {
		w.t.Fatal(err)
	}
	_, _, owner := w.owner("scout")
	body := `{"campaignUid":"` + uid + `","styleNo":"S1"}`
	testkit.Eventually(w.t, waitAtMost, func() error {
		if a := w.call("POST", "/v1/shares", owner, w.key(), body); a.status != 201 {
			return fmt.Errorf("got %d", a.status)
		}
		return nil
	})
}

// wallet waits until an owner's wallet shows these amounts.
func (w *world) wallet(t *testing.T, token string, accrued, reversed, pending, available int64) {
	t.Helper()
	testkit.Eventually(t, waitAtMost, func() error {
		a := w.call("GET", "/v1/wallet", token, "", "").want(t, 200, "")
		got := [4]int64{a.fen(t, "accruedFen"), a.fen(t, "reversedFen"), a.fen(t, "pendingFen"), a.fen(t, "availableFen")}
		if want := [4]int64{accrued, reversed, pending, available}; got != want {
			return fmt.Errorf("the wallet is %v, want %v", got, want)
		}
		return nil
	})
}

func TestTheWalletFollowsTheOrders(t *testing.T) {
	w := newWorld(t, 1)
	person, buyer, owner := w.owner("chen")
	orders := &orderEvents{w: w}
	first, second := ids.Derive("ord", "1"), ids.Derive("ord", "2")

	w.wallet(t, owner, 0, 0, 0, 0)
	paid := &orderv1.OrderPaid{OrderId: first, OwnerId: person, CampaignUid: "c1", Lines: []*orderv1.PaidLine{
		{Sku: "a", OwnerFen: 600}, {Sku: "b", OwnerFen: 400},
	}}
	t.Run("a paid order is pending", func(t *testing.T) {
		orders.publish(&orderv1.PaymentReceived{OrderId: first}, paid)
		w.wallet(t, owner, 1000, 0, 1000, 0)
	})
	t.Run("an order that nobody's link led to earns nothing", func(t *testing.T) {
		orders.publish(&orderv1.OrderPaid{OrderId: ids.Derive("ord", "self"), Lines: []*orderv1.PaidLine{{OwnerFen: 0}}})
		w.wallet(t, owner, 1000, 0, 1000, 0)
	})
	t.Run("a short line is taken back, and told again it is not", func(t *testing.T) {
		short := &orderv1.LineShort{OrderId: first, OwnerId: person, RefundId: "ref_1", Line: &orderv1.ReversedLine{Sku: "b", OwnerFen: 400}}
		orders.publish(short, short)
		w.wallet(t, owner, 1000, 400, 600, 0)
	})
	t.Run("after the return window the rest is available", func(t *testing.T) {
		orders.publish(&orderv1.OrderMatured{OrderId: first, OwnerId: person})
		w.wallet(t, owner, 1000, 400, 0, 600)
	})
	t.Run("events that stand in the log twice count once", func(t *testing.T) {
		repeat := orders.seq
		orders.send([]eventkit.Event{{ID: fmt.Sprintf("order/3/%d/0", repeat), Type: "order.v1.OrderMatured"}})
		orders.publish(&orderv1.OrderPaid{OrderId: second, OwnerId: person, CampaignUid: "c1", Lines: []*orderv1.PaidLine{{Sku: "a", OwnerFen: 50}}})
		w.wallet(t, owner, 1050, 400, 50, 600)
	})
	t.Run("bytes that are no event are parked, and the rest goes on", func(t *testing.T) {
		orders.seq++
		broken := eventkit.Event{ID: fmt.Sprintf("order/3/%d/0", orders.seq), Prev: orders.prev, Type: "order.v1.OrderPaid", Data: []byte{0xff}}
		orders.send([]eventkit.Event{broken})
		orders.prev = broken.ID
		orders.publish(&orderv1.LineReturned{OrderId: second, OwnerId: person, RefundId: "ref_2", Line: &orderv1.ReversedLine{Sku: "a", OwnerFen: 50}})
		w.wallet(t, owner, 1050, 450, 0, 600)
	})
	t.Run("the orders are listed page by page", func(t *testing.T) {
		seen := map[string]string{}
		for next := ""; ; {
			path := "/v1/wallet/orders?limit=1"
			if next != "" {
				path += "&after=" + next
			}
			a := w.call("GET", path, owner, "", "").want(t, 200, "")
			items, _ := a.body["items"].([]any)
			for _, item := range items {
				o, _ := item.(map[string]any)
				seen[fmt.Sprint(o["orderId"])] = fmt.Sprintf("%v %v %v", o["state"], o["accruedFen"], o["reversedFen"])
			}
			if next = a.str("next"); next == "" {
				break
			}
		}
		if want := map[string]string{first: "matured 1000 400", second: "pending 50 50"}; !maps.Equal(seen, want) {
			t.Fatalf("got %v, want %v", seen, want)
		}
	})
	t.Run("only the owner's token opens the wallet", func(t *testing.T) {
		w.call("GET", "/v1/wallet", buyer, "", "").want(t, 401, "bad_token")
		w.call("GET", "/v1/wallet/orders", "", "", "").want(t, 401, "no_credentials")
	})
	t.Run("what was decided is published in the journal's order", func(t *testing.T) {
		testkit.Eventually(t, waitAtMost, func() error {
			if got, want := len(w.published()), w.count(); got != want {
				return fmt.Errorf("%d of %d facts are published", got, want)
			}
			return nil
		})
		kinds := map[string]bool{}
		for _, e := range w.published() {
			kinds[e.Type] = true
		}
		want := []string{
			"owner.v1.CommissionAccrued", "owner.v1.CommissionMatured", "owner.v1.CommissionReversed", "owner.v1.MembershipOrdered",
			"owner.v1.MembershipPaid", "owner.v1.MembershipPrepaid", "owner.v1.PersonRegistered",
		}
		if got := slices.Sorted(maps.Keys(kinds)); !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}
