package virtual

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/services/internal/proof"
	"github.com/qingcang/qingcang/services/order/internal/lane"
	"github.com/qingcang/qingcang/services/order/virtual/internal/network"
	"github.com/qingcang/qingcang/services/order/virtual/internal/world"
)

const (
	// maxSkew is how far a pod's clock is off, in either direction.
	maxSkew = 5 * time.Minute
	// late bounds how long after its time a lane notices: a tick, or a dead publisher's partitions
	// that move (the session, the rebalance and a little more).
	late = 15 * time.Second
	// look is how often buyers ask.
	look = 250 * time.Millisecond
)

// clock is a pod's: off, and set back from time to time. The world's own is the broker's.
type clock struct{ off atomic.Int64 }

func newClock(t *proof.Trial) *clock {
	c := &clock{}
	c.off.Store(2*t.Int64N(int64(maxSkew)) - int64(maxSkew))
	return c
}

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.off.Load())) }

func (c *clock) setBack(by time.Duration) { c.off.Add(-int64(by)) }

// clocks is one trial of row 14: two pods whose clocks are wrong in ways of their own, and a broker
// that stamps what is appended.
func clocks(t *proof.Trial) {
	w := newWorld(t, t.Rand)
	w.Network.Rules(network.StampAppends(lane.SharedTopic, time.Now))
	ofA, ofB := newClock(t), newClock(t)
	a, b := w.JoinOn(world.Machine{Clock: ofA.now}), w.JoinOn(world.Machine{Clock: ofB.now})
	w.Ready(a, b)

	opens := time.Now().Add(2*time.Second + time.Duration(t.Int64N(int64(10*time.Second))))
	lasts, dies := 12*time.Second, t.Chance(3)
	if dies {
		lasts += late
	}
	closes := opens.Add(lasts)
	sale := world.Sale("sale", 1_000_000, "a")
	sale.StartAt, sale.EndAt, sale.HoldSeconds = timestamppb.New(opens), timestamppb.New(closes), 6+t.Int64N(4)
	w.Want(sale)
	w.Eventually(func() error { return b.InPhase("sale", campaignv1.Status_PHASE_WAITING) })

	s := &seller{World: w, at: b}
	if t.Chance(2) {
		w.Pass(time.Duration(t.Int64N(max(1, int64(time.Until(opens))))))
	}
	ofA.setBack(time.Duration(t.Int64N(int64(maxSkew))))
	if dies { // its lanes move to the pod with the other clock
		a.Crash()
	}
	w.Pass(time.Until(opens) - 2*look)
	first := s.untilSold()
	s.within("the sale opened", first, opens, time.Now())
	ofB.setBack(time.Duration(t.Int64N(int64(maxSkew))))
	s.holdEnds(time.Duration(sale.GetHoldSeconds()) * time.Second)
	w.Pass(time.Until(closes) - 2*look)
	s.untilClosed(closes)
	if opened := w.Events().Opened; opened != 1 {
		t.Errorf("the sale opened %d times", opened)
	}
}

// seller asks for orders as time goes by.
type seller struct {
	*world.World
	at    *world.Replica
	order world.Order // the first, and whose it is
	owner string
	buyer int
}

func (s *seller) place() world.Answer {
	s.buyer++
	return s.Insist(world.One(fmt.Sprintf("buyer-%d", s.buyer), "sale", s.Key()), s.at)
}

// untilSold asks until the sale is open, and returns when the question was put that got an order.
func (s *seller) untilSold() (asked time.Time) {
	for range int(2 * late / look) {
		asked = time.Now()
		a := s.place()
		if a.Status == http.StatusCreated {
			s.order, s.owner = a.Order, fmt.Sprintf("buyer-%d", s.buyer)
			return asked
		}
		if a.Code != "not_open" {
			s.Fatalf("before the sale: %d %s", a.Status, a.Text)
		}
		s.Pass(look)
	}
	s.Fatal("the sale does not open")
	return asked
}

// untilClosed asks until the sale is over.
func (s *seller) untilClosed(closes time.Time) {
	for range int(2 * late / look) {
		asked := time.Now()
		switch a := s.place(); {
		case a.Code == "closed":
			s.within("the sale closed", time.Now(), closes, time.Now())
			return
		case a.Status != http.StatusCreated:
			s.Fatalf("during the sale: %d %s", a.Status, a.Text)
		case asked.After(closes.Add(late)):
			s.Fatalf("still open %s after its end", asked.Sub(closes))
		}
		s.Pass(look)
	}
}

// holdEnds awaits the end of the first order's hold: not before its time is over.
func (s *seller) holdEnds(hold time.Duration) {
	deadline := *s.order.Deadline
	if began := deadline.Add(-hold); time.Since(began) < 0 || time.Since(began) > late {
		s.Errorf("at %s a hold begins at %s", time.Now(), began)
	}
	s.Pass(time.Until(deadline) - 2*look)
	for range int(2 * late / look) {
		switch a := s.at.Show(s.owner, s.order.ID); a.Order.State {
		case "expired":
			s.within("the hold ended", time.Now(), deadline, time.Now())
			return
		case "held":
			s.Pass(look)
		default:
			s.Fatalf("the order is %d %s", a.Status, a.Text)
		}
	}
	s.Fatal("the hold does not end")
}

// within fails if something happened before its time by the broker's clock, or long after.
func (s *seller) within(what string, at, due, seen time.Time) {
	if at.Before(due) {
		s.Errorf("%s %s too early", what, due.Sub(at))
	}
	if seen.Sub(due) > late {
		s.Errorf("%s %s too late", what, seen.Sub(due))
	}
}
