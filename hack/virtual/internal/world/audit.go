package world

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/order/internal/lane"
)

// quiet is more than a publisher takes for what is decided, where none has died.
const quiet = 5 * time.Second

// Status is the newest status of a campaign that is published.
func (w *World) Status(uid string) *campaignv1.Status {
	w.Helper()
	newest := &campaignv1.Status{}
	ctx, cancel := context.WithCancel(w.Context())
	defer cancel()
	_ = w.Conn.Table(ctx, "campaign-status.v1", func(key string, value []byte) error {
		if key == uid {
			return proto.Unmarshal(value, newest)
		}
		return nil
	}, cancel)
	return newest
}

// Sold is what the lane's events say, which is what the rest of the suite goes by.
type Sold struct {
	// Held counts the holds by order, Ended how often one ended unpaid.
	Held, Ended map[string]int
	// Buyers is whose each hold is, HeldUnits all that was ever held, by SKU.
	Buyers    map[string]string
	HeldUnits map[string]int64
	Opened    int
}

// Events reads the lane's events from the beginning, as a consumer does: each once, and none missing.
func (w *World) Events() Sold {
	w.Helper()
	sold := Sold{Held: map[string]int{}, Ended: map[string]int{}, HeldUnits: map[string]int64{}, Buyers: map[string]string{}}
	last := ""
	end, err := w.Conn.EndOffset(w.Context(), lane.EventTopic, Partition)
	w.must(err)
	seen := map[string]bool{}
	for offset := int64(0); offset < end; {
		records, err := w.Conn.Fetch(w.Context(), lane.EventTopic, Partition, offset)
		w.must(err)
		for _, r := range records {
			offset = r.Offset + 1
			if seen[r.Event.ID] {
				continue
			}
			seen[r.Event.ID] = true
			if r.Event.Prev != last {
				w.Fatalf("%s follows %q, not %q", r.Event.ID, r.Event.Prev, last)
			}
			last = r.Event.ID
			m, err := r.Event.Decode()
			w.must(err)
			sold.take(m)
		}
	}
	return sold
}

// AllEvents is Events once nothing waits to be published any more.
func (w *World) AllEvents() Sold {
	w.Helper()
	w.Pass(quiet)
	return w.Events()
}

// BuyerOf is whose order it is.
func (w *World) BuyerOf(orderID string) (buyer string) {
	w.Helper()
	w.Eventually(func() error {
		var known bool
		if buyer, known = w.Events().Buyers[orderID]; !known {
			return fmt.Errorf("no event of %s", orderID)
		}
		return nil
	})
	return buyer
}

func (s *Sold) take(m proto.Message) {
	switch e := m.(type) {
	case *orderv1.CampaignOpened:
		s.Opened++
	case *orderv1.OrderHeld:
		s.Held[e.GetOrderId()]++
		s.Buyers[e.GetOrderId()] = e.GetBuyerId()
		for _, line := range e.GetLines() {
			s.HeldUnits[line.GetSku()] += line.GetUnits()
		}
	case *orderv1.OrderReleased:
		s.Ended[e.GetOrderId()]++
	}
}
