package wiring_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/qingcang/qingcang/proto/eventkit"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/services/internal/testkit"
	"github.com/qingcang/qingcang/services/order/internal/lane"
)

// link is a replica's way to Kafka.
type link struct {
	mu    sync.Mutex
	gone  bool
	conns []net.Conn
}

var errCut = errors.New("the link is cut")

func (l *link) dial(ctx context.Context, network, address string) (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone {
		return nil, errCut
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, address)
	if err == nil {
		l.conns = append(l.conns, conn)
	}
	return conn, err
}

func (l *link) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gone = true
	for _, conn := range l.conns {
		_ = conn.Close()
	}
}

// TestASaleOnALaneOfItsOwn: two replicas of the lane and one of the shared pool sell it over HTTP, from the first
// order until it is settled. The lane's own replicas are there before the campaign is, and in mid-sale one is told to stop and
// the other cut off.
func TestASaleOnALaneOfItsOwn(t *testing.T) {
	const (
		uid              = "8d6f4b1e-0000-4000-8000-2f3c9a7e5d11"
		shared, own, two = 0, 1, 2
	)
	w := newWorld(t, 1)
	stopOwn := w.startFor(uid)
	link := &link{}
	w.cfg.Kafka.Dial = link.dial
	w.startFor(uid)
	w.cfg.Kafka.Dial = nil
	w.place(own, "ann", uid, 1).want(t, http.StatusNotFound, "unknown_campaign")

	at := &campaignv1.Lane{Topic: lane.DedicatedTopic(uid)}
	topic, _ := eventkit.TopicNamed(at.GetTopic())
	if err := w.conn.Ensure(t.Context(), topic); err != nil {
		t.Fatal(err)
	}
	w.opens("sale", 5, 600)
	w.opensOn(at, uid, 6, 600)

	var orders []string
	for i, replica := range []int{own, two, shared, own, two} {
		testkit.Eventually(t, patience, func() error { // a replica hears of the sale a moment after the status does
			a := w.call(replica, "ann", http.MethodPost, ordersOf(uid), fmt.Sprintf("sale-key-%d", i), order(1))
			if a.status != http.StatusCreated {
				return fmt.Errorf("order %d: %d %v", i, a.status, a.body)
			}
			orders = append(orders, a.text("orderId"))
			return nil
		})
	}
	again := w.call(two, "ann", http.MethodPost, ordersOf(uid), "sale-key-0", order(1)).want(t, http.StatusCreated, "")
	if again.text("orderId") != orders[0] {
		t.Errorf("the same key is order %s at one replica and %s at another", orders[0], again.text("orderId"))
	}
	w.place(own, "ann", "sale", 1).want(t, http.StatusServiceUnavailable, "lane_not_here")
	elsewhere := w.place(shared, "ann", "sale", 1).want(t, http.StatusCreated, "").text("orderId")
	w.call(own, "ann", http.MethodGet, "/v1/orders/"+elsewhere, "", nil).want(t, http.StatusServiceUnavailable, "lane_not_here")

	stopOwn()
	link.cut() // as a node that is gone: the group misses it after its session's time
	orders = append(orders, w.place(shared, "ann", uid, 1).want(t, http.StatusCreated, "").text("orderId"))
	w.place(shared, "bob", uid, 1).want(t, http.StatusConflict, "sold_out")
	for _, id := range orders {
		w.call(shared, "ann", http.MethodPost, "/v1/orders/"+id+"/cancellation", "", nil).want(t, http.StatusOK, "")
	}
	w.put(&campaignv1.Desired{Uid: uid, Generation: 2, BrandId: "brand", Closed: true, Lane: at})
	settled := w.phase(uid, campaignv1.Status_PHASE_SETTLED)
	if settled.GetSoldUnits() != 0 || settled.GetUnits() != 0 {
		t.Errorf("it settled as %v", settled)
	}

	w.start()
	const restarted = 3
	w.place(restarted, "bob", uid, 1).want(t, http.StatusConflict, "closed")
	w.call(restarted, "ann", http.MethodGet, "/v1/orders/"+orders[0], "", nil).want(t, http.StatusNotFound, "unknown_order")
	w.call(restarted, "ann", http.MethodGet, "/v1/orders/"+elsewhere, "", nil).want(t, http.StatusOK, "")
	w.startFor(uid) // too late, and ready all the same
	w.place(4, "bob", uid, 1).want(t, http.StatusConflict, "closed")
}
