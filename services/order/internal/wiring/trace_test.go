package wiring

import (
	"errors"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/qingcang/qingcang/proto/eventkit"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/internal/ids"
	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/internal/telemetry"
	"github.com/qingcang/qingcang/services/internal/testkit"
	"github.com/qingcang/qingcang/services/order/internal/eventin"
)

// The notice's trace goes through the lane, back as the lane's event, and into
// the payment journal and its event.
func TestOneTraceGoesFromTheNoticeToThePaidOrder(t *testing.T) {
	const notice = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	w := newWorld(t)
	r := w.replica()
	w.wants("sale", 1, 5, false)
	w.append(r, &record.Allocate{
		CampaignUID: "sale", Generation: 1, Add: []record.Units{{SKU: "a", Units: 5}},
	})
	w.reaches("sale", campaignv1.Status_PHASE_OPEN)
	orderID := ids.Derive("ord", "traced")
	w.place(r, "sale", orderID, 1)
	w.opens(r, orderID)
	if err := r.cases.TakeNotice(telemetry.Continue(t.Context(), notice), w.till.pays(orderID)); err != nil {
		t.Fatal(err)
	}
	for topic, at := range map[string]struct {
		partition int
		fact      proto.Message
	}{
		eventin.LaneEvents: {1, &orderv1.OrderConfirmed{}},
		orderEvents:        {journal.ShardOf(orderID), &orderv1.OrderPaid{}},
	} {
		if got := w.first(topic, at.partition, at.fact).Traceparent; got != notice {
			t.Errorf("%s in %s is of the trace %q, want %q", proto.MessageName(at.fact), topic, got, notice)
		}
	}
}

// first waits for the first event of a type in a partition.
func (w *world) first(topic string, partition int, fact proto.Message) (found eventkit.Event) {
	w.Helper()
	testkit.Eventually(w, patience, func() error {
		records, err := w.conn.Fetch(w.Context(), topic, partition, 0)
		for _, r := range records {
			if r.Event.Type == string(proto.MessageName(fact)) {
				found = r.Event
				return nil
			}
		}
		return errors.Join(err, errors.New("not published yet"))
	})
	return found
}
