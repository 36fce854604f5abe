package eventin

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/qingcang/qingcang/proto/eventkit"
	fulfilmentv1 "github.com/qingcang/qingcang/proto/gen/fulfilment/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/order/internal/payment"
)

// recorder keeps what was heard.
type recorder struct{ keys, positions []string }

func (r *recorder) Hear(_ context.Context, commands []journal.Command[*payment.Orders]) error {
	for _, c := range commands {
		r.keys = append(r.keys, c.Key)
		r.positions = append(r.positions, c.Heard.String())
		if _, err := c.Decide(payment.NewOrders(), time.Unix(0, 0)); err != nil {
			return err
		}
	}
	return nil
}

func told(t *testing.T, id string, m proto.Message) eventkit.Record {
	t.Helper()
	data, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return eventkit.Record{Event: eventkit.Event{ID: id, Type: string(m.ProtoReflect().Descriptor().FullName()), Data: data}}
}

func TestHearing(t *testing.T) {
	torn := told(t, "fulfilment/1/3/0", &fulfilmentv1.ReturnWindowClosed{OrderId: "ord_1"})
	torn.Event.Data = []byte{0xff}
	cases := map[string]struct {
		records []eventkit.Record
		want    []string
	}{
		"what a lane says of a payment is heard": {
			[]eventkit.Record{told(t, "lanes.shared.v1/2/17/0", &orderv1.OrderConfirmed{OrderId: "ord_1"})},
			[]string{"ord_1 lanes.shared.v1/2/17/0"},
		},
		"what is about stock alone is not": {
			[]eventkit.Record{
				told(t, "lanes.shared.v1/2/17/0", &orderv1.OrderHeld{OrderId: "ord_1"}),
				told(t, "lanes.shared.v1/2/17/1", &orderv1.CampaignOpened{CampaignUid: "c-1"}),
				told(t, "fulfilment/1/2/0", &fulfilmentv1.ParcelSigned{OrderId: "ord_1"}),
			},
			nil,
		},
		"events keep their order": {
			[]eventkit.Record{
				told(t, "fulfilment/1/2/0", &fulfilmentv1.ParcelShipped{OrderId: "ord_1"}),
				told(t, "fulfilment/1/2/1", &fulfilmentv1.ReturnReceived{OrderId: "ord_2"}),
				told(t, "fulfilment/1/3/0", &fulfilmentv1.ReturnWindowClosed{OrderId: "ord_1"}),
			},
			[]string{"ord_1 fulfilment/1/2/0", "ord_2 fulfilment/1/2/1", "ord_1 fulfilment/1/3/0"},
		},
		"one that cannot be decoded holds nothing up": {
			[]eventkit.Record{torn, {Value: []byte("no event")}, told(t, "fulfilment/1/4/0", &fulfilmentv1.ReturnWindowClosed{OrderId: "ord_2"})},
			[]string{"ord_2 fulfilment/1/4/0"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := &recorder{}
			role := Role(r, slog.New(slog.DiscardHandler))
			if err := role.Handle(t.Context(), c.records); err != nil {
				t.Fatal(err)
			}
			var got []string
			for i := range r.keys {
				got = append(got, r.keys[i]+" "+r.positions[i])
			}
			if !slices.Equal(got, c.want) {
				t.Fatalf("heard %v, want %v", got, c.want)
			}
		})
	}
}
