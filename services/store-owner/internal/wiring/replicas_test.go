package wiring_test

import (
	"sync"
	"testing"

	"github.com/qingcang/qingcang/proto/eventkit"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/internal/ids"
)

// crowd is how many callers come at once; every second one to the other replica.
const crowd = 16

func (w *world) atOnce(do func(replica string)) {
	var all sync.WaitGroup
	for i := range crowd {
		all.Go(func() { do(w.replicas[i%len(w.replicas)]) })
	}
	all.Wait()
}

func TestTwoReplicasDecideAsOne(t *testing.T) {
	w := newWorld(t, 2)

	t.Run("a person who logs in many times at once is registered once", func(t *testing.T) {
		seen := sync.Map{}
		w.atOnce(func(replica string) {
			a := w.callAt(replica, "POST", "/v1/sessions", "", "", `{"code":"code-chen"}`)
			seen.Store(a.str("personId"), a.status)
		})
		people := 0
		seen.Range(func(id, status any) bool {
			people++
			if status != 200 {
				t.Errorf("%v: %v", id, status)
			}
			return true
		})
		if registered := len(w.facts()["owner.v1.PersonRegistered"]); people != 1 || registered != 1 {
			t.Fatalf("%d people, %d registered", people, registered)
		}
	})

	buyer := w.logIn("chen").str("buyerToken")
	key, id := w.key(), ""
	t.Run("a membership that is ordered many times at once is ordered once", func(t *testing.T) {
		seen := sync.Map{}
		w.atOnce(func(replica string) {
			a := w.callAt(replica, "POST", "/v1/memberships", buyer, key, "")
			seen.Store(a.str("membershipId"), a.status)
		})
		memberships := 0
		seen.Range(func(k, status any) bool {
			memberships++
			id, _ = k.(string)
			if status != 201 {
				t.Errorf("%v: %v", k, status)
			}
			return true
		})
		if ordered := len(w.facts()["owner.v1.MembershipOrdered"]); memberships != 1 || ordered != 1 {
			t.Fatalf("%d memberships, %d ordered", memberships, ordered)
		}
	})
	t.Run("a fee that is told many times at once is kept once", func(t *testing.T) {
		paid := w.wechat.pay(id, "tx-1", fee)
		w.atOnce(func(replica string) {
			if a := w.tell(replica, w.wechat.notice(paid)); a.status != 204 {
				t.Errorf("got %d %v", a.status, a.body)
			}
		})
		facts := w.facts()
		if kept, back := len(facts["owner.v1.MembershipPaid"]), len(facts["owner.v1.MembershipFeeReturned"]); kept != 1 || back != 0 {
			t.Fatalf("%d kept, %d returned", kept, back)
		}
	})
	t.Run("fees of two memberships that are told at once make one owner and one refund", func(t *testing.T) {
		other := w.logIn("wang").str("buyerToken")
		var notices []notice
		for _, transaction := range []string{"tx-a", "tx-b"} {
			id := w.call("POST", "/v1/memberships", other, w.key(), "").want(t, 201, "").str("membershipId")
			notices = append(notices, w.wechat.notice(w.wechat.pay(id, transaction, fee)))
		}
		var all sync.WaitGroup
		for i, n := range notices {
			all.Go(func() { w.tell(w.replicas[i], n) })
		}
		all.Wait()
		facts := w.facts()
		if kept, back := len(facts["owner.v1.MembershipPaid"]), len(facts["owner.v1.MembershipFeeReturned"]); kept != 2 || back != 1 {
			t.Fatalf("%d kept in all, %d returned; want 2 and 1", kept, back)
		}
	})
}

func TestAReplicaThatStartsAgainKnowsEverything(t *testing.T) {
	w := newWorld(t, 1)
	person, buyer, owner := w.owner("chen")
	orders := &orderEvents{w: w}
	orders.publish(
		&orderv1.OrderPaid{OrderId: ids.Derive("ord", "1"), OwnerId: person, CampaignUid: "c1", Lines: []*orderv1.PaidLine{{Sku: "a", OwnerFen: 900}}},
	)
	w.wallet(t, owner, 900, 0, 900, 0)

	w.stop(0)
	orders.publish(&orderv1.LineShort{OrderId: ids.Derive("ord", "1"), OwnerId: person, RefundId: "ref_1", Line: &orderv1.ReversedLine{Sku: "a", OwnerFen: 300}})
	w.start()
	w.replicas = w.replicas[1:]

	w.wallet(t, owner, 900, 300, 600, 0)
	w.call("POST", "/v1/owner-tokens", buyer, "", "").want(t, 200, "")
	if again := w.logIn("chen"); again.str("personId") != person || again.str("ownerToken") == "" {
		t.Fatalf("got %v", again.body)
	}
}

// An event whose predecessor is missing stops its partition: going on would lose it for good.
func TestAGapInTheOrdersIsNotSkipped(t *testing.T) {
	w := newWorld(t, 1)
	person, _, owner := w.owner("chen")
	orders := &orderEvents{w: w}
	paid := func(order string) *orderv1.OrderPaid {
		return &orderv1.OrderPaid{OrderId: ids.Derive("ord", order), OwnerId: person, Lines: []*orderv1.PaidLine{{OwnerFen: 100}}}
	}
	orders.publish(paid("1"))
	w.wallet(t, owner, 100, 0, 100, 0)
	missing := eventkit.Position{Source: "order/3", Seq: orders.seq + 1}.String()
	orders.seq++
	orders.prev = missing
	orders.publish(paid("3"))
	// What is behind the gap on another partition is not held up.
	other := &orderEvents{w: w, partition: 4}
	other.publish(paid("4"))
	w.wallet(t, owner, 200, 0, 200, 0)
}
