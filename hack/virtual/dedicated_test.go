package virtual

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/qingcang/qingcang/proto/eventkit"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/services/order/internal/lane"
	"github.com/qingcang/qingcang/services/order/virtual/internal/world"
)

// TestALaneOfACampaignsOwn from its first order to its rest: two replicas of its own and one of the shared pool sell it, the
// two die in mid-sale, the one goes on; when the campaign is settled and the world has been told twice, nobody runs the
// lane any more, and who starts then does not begin with it again.
func TestALaneOfACampaignsOwn(t *testing.T) {
	const uid = "5f0c0e2a-7b1d-4c58-9b6e-0d7f3c1a9e44"
	inWorld(t, 1, func(w *world.World, replicas []*world.Replica) {
		shared := replicas[0]
		own := []*world.Replica{w.JoinOn(world.Machine{Lane: uid}), w.JoinOn(world.Machine{Lane: uid})}
		for _, r := range own {
			w.Eventually(r.Ready) // before there is a campaign
		}
		topic, _ := eventkit.TopicNamed(lane.DedicatedTopic(uid))
		if err := w.Conn.Ensure(w.Context(), topic); err != nil {
			w.Fatal(err)
		}
		sale := world.Sale(uid, 40, "a")
		sale.Lane = &campaignv1.Lane{Topic: topic.Name}
		w.Want(sale)
		w.Phase(uid, campaignv1.Status_PHASE_OPEN)
		w.Pass(20 * time.Second) // its group is at rest

		var got tally
		buy := func(n int, at ...*world.Replica) {
			asks := make([]world.Ask, n)
			for i := range asks {
				asks[i] = world.One(fmt.Sprintf("buyer-%s", w.Key()), uid, w.Key())
			}
			w.Together(n, func(i int) { got.add(w.Insist(asks[i], at[i%len(at)])) })
		}
		buy(24, own[0], own[1], shared)
		own[0].Crash()
		own[1].Crash()
		buy(24, shared)
		if got.count["201"] != 40 || got.count["409 sold_out"] != 8 {
			w.Errorf("answers: %v, want 40 orders and 8 refusals", got.count)
		}

		closed := proto.CloneOf(sale)
		closed.Generation, closed.Closed = 2, true
		if err := w.Conn.Put(w.Context(), lane.CampaignTopic, uid, closed); err != nil {
			w.Fatal(err)
		}
		w.Phase(uid, campaignv1.Status_PHASE_DRAINING)
		w.Pass(10*time.Minute + 10*time.Second) // nobody paid
		settled := w.Phase(uid, campaignv1.Status_PHASE_SETTLED)
		if settled.GetSoldUnits() != 0 {
			w.Errorf("it settled as %v", settled)
		}
		if err := rests(shared, uid); err == nil {
			w.Error("the lane rests before its end was told twice")
		}
		w.Eventually(func() error { return rests(shared, uid) })
		if members, err := w.Conn.Members(w.Context(), lane.DedicatedGroup(uid)); err != nil || len(members) > 0 {
			w.Errorf("its group has the members %v: %v", members, err)
		}

		late := w.Join()
		w.Eventually(late.Ready)
		if err := rests(late, uid); err != nil {
			w.Errorf("a replica that starts behind the end: %v", err)
		}
		if a := late.Place(world.One("late", uid, w.Key())); a.Status != http.StatusConflict || a.Code != "closed" {
			w.Errorf("it answers an order with %d %s", a.Status, a.Text)
		}
	})
}

func rests(r *world.Replica, uid string) error {
	if l, ok := r.Lanes.Dedicated(uid); !ok || !l.Rests() {
		return errors.New("the lane is run still")
	}
	return nil
}
