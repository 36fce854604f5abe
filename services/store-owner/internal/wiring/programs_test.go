package wiring_test

import (
	"fmt"
	"testing"

	programv1 "github.com/qingcang/qingcang/proto/gen/program/v1"
	"github.com/qingcang/qingcang/services/internal/testkit"
)

// program publishes a programme's desired state as the operator does.
func (w *world) program(generation, fee int64, closed bool) {
	w.t.Helper()
	d := &programv1.Desired{Uid: "programme-1", Name: "standard", Generation: generation, FeeFen: fee, Closed: closed}
	if err := w.conn.Put(w.t.Context(), "programs.v1", d.GetUid(), d); err != nil {
		w.t.Fatal(err)
	}
}

// orderAt orders a membership as soon as a page that shows this fee gets one.
func (w *world) orderAt(t *testing.T, buyer string, fee int64) (id string) {
	t.Helper()
	testkit.Eventually(t, waitAtMost, func() error {
		a := w.call("POST", "/v1/memberships", buyer, w.key(), fmt.Sprintf(`{"feeFen":%d}`, fee))
		if a.status != 201 {
			return fmt.Errorf("got %d %v", a.status, a.body)
		}
		id = a.str("membershipId")
		return nil
	})
	return id
}

func TestTheProgrammeNamesTheFee(t *testing.T) {
	w := newWorld(t, 1)
	chen, wang, li := w.logIn("chen").str("buyerToken"), w.logIn("wang").str("buyerToken"), w.logIn("li").str("buyerToken")
	first := w.orderAt(t, chen, fee)
	w.program(1, 29_800, false)
	second := w.orderAt(t, wang, 29_800)

	t.Run("a membership keeps the fee that it was ordered at", func(t *testing.T) {
		if got := w.call("GET", "/v1/memberships/"+first, chen, "", "").fen(t, "feeFen"); got != fee {
			t.Errorf("it costs %d now", got)
		}
		for _, m := range []struct {
			id, buyer string
			fee       int64
		}{{first, chen, fee}, {second, wang, 29_800}} {
			w.tell(w.replicas[0], w.wechat.notice(w.wechat.pay(m.id, "tx-"+m.id, m.fee))).want(t, 204, "")
			if state := w.call("GET", "/v1/memberships/"+m.id, m.buyer, "", "").str("state"); state != "paid" {
				t.Errorf("the membership of %d fen is %s", m.fee, state)
			}
		}
	})
	t.Run("a page that shows the fee of before is told", func(t *testing.T) {
		w.call("POST", "/v1/memberships", li, w.key(), `{"feeFen":39800}`).want(t, 422, "fee_differs")
	})
	t.Run("garbage changes nothing", func(t *testing.T) {
		w.program(2, -5, false)
		testkit.Eventually(t, waitAtMost, func() error {
			if !w.logs.contain("value parked") {
				return fmt.Errorf("nothing is parked")
			}
			return nil
		})
		w.orderAt(t, li, 29_800)
	})
	t.Run("a membership for nothing needs no payment", func(t *testing.T) {
		w.program(3, 0, false)
		zhao := w.logIn("zhao").str("buyerToken")
		id := w.orderAt(t, zhao, 0)
		if a := w.call("GET", "/v1/memberships/"+id, zhao, "", ""); a.str("state") != "paid" || a.body["payment"] != nil {
			t.Errorf("got %v", a.body)
		}
		w.call("POST", "/v1/owner-tokens", zhao, "", "").want(t, 200, "")
	})
	t.Run("without a programme it costs what it did before there was one", func(t *testing.T) {
		w.program(4, 0, true)
		w.orderAt(t, w.logIn("sun").str("buyerToken"), fee)
	})
	t.Run("a replica that starts later knows the fee", func(t *testing.T) {
		w.program(5, 19_800, false)
		w.orderAt(t, w.logIn("zhou").str("buyerToken"), 19_800)
		w.start()
		buyer := w.logIn("wu").str("buyerToken")
		w.callAt(w.replicas[1], "POST", "/v1/memberships", buyer, w.key(), `{"feeFen":19800}`).want(t, 201, "")
	})
}

func TestAnInstallationWithoutTheTopicOfProgrammes(t *testing.T) {
	w := newWorld(t, 0, "programs.v1")
	w.start()
	w.call("POST", "/v1/memberships", w.logIn("chen").str("buyerToken"), w.key(), `{"feeFen":39800}`).want(t, 201, "")
}
