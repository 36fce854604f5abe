package eventin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"

	"github.com/qingcang/qingcang/proto/eventkit"
	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/proto/lane/record"
)

// notebook keeps what lanes were told.
type notebook struct {
	told []string
	err  error
}

func (n *notebook) Allocate(_ context.Context, lane *campaignv1.Lane, a *record.Allocate) error {
	n.told = append(n.told, fmt.Sprintf("%s/%d: %s generation %d adds %d, %q",
		lane.GetTopic(), lane.GetPartition(), a.CampaignUID, a.Generation, len(a.Add), a.RefusedReason))
	return n.err
}

func TestAllocations(t *testing.T) {
	lane := &campaignv1.Lane{Topic: "lanes.shared.v1", Partition: 2}
	allocated := told(t, "brand/1/2/0", &brandv1.StockAllocated{
		CampaignUid: "c-1", Generation: 3, Lane: lane, Add: []*brandv1.AllocatedUnits{{Sku: "a", Units: 5}},
	})
	refused := told(t, "brand/1/3/0", &brandv1.StockRefused{CampaignUid: "c-2", Generation: 1, Lane: lane, Reason: "UnknownSKU"})
	other := told(t, "brand/1/4/0", &brandv1.BrandApproved{})

	t.Run("answers go to the lane that they name, other events nowhere", func(t *testing.T) {
		n := &notebook{}
		records := []eventkit.Record{other, allocated, {Value: []byte("no event")}, refused}
		if err := Allocations(n, slog.New(slog.DiscardHandler)).Handle(t.Context(), records); err != nil {
			t.Fatal(err)
		}
		want := []string{
			`lanes.shared.v1/2: c-1 generation 3 adds 1, ""`,
			`lanes.shared.v1/2: c-2 generation 1 adds 0, "UnknownSKU"`,
		}
		if !slices.Equal(n.told, want) {
			t.Errorf("told %q, want %q", n.told, want)
		}
	})
	t.Run("an answer that the lane did not get is heard again", func(t *testing.T) {
		broken := errors.New("no broker")
		err := Allocations(&notebook{err: broken}, slog.New(slog.DiscardHandler)).Handle(t.Context(), []eventkit.Record{allocated})
		if !errors.Is(err, broken) {
			t.Errorf("Handle says %v", err)
		}
	})
}
