package journal_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/qingcang/qingcang/proto/eventkit"
	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	"github.com/qingcang/qingcang/services/internal/journal"
)

// notes keeps what was heard as "key position traceparent".
type notes struct {
	heard []string
	err   error
}

func (n *notes) Hear(_ context.Context, commands []journal.Command[*int]) error {
	for _, c := range commands {
		n.heard = append(n.heard, c.Key+" "+c.Heard.String()+" "+c.Traceparent)
	}
	return n.err
}

func recorded(t *testing.T, id string, m proto.Message) eventkit.Record {
	t.Helper()
	data, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return eventkit.Record{Event: eventkit.Event{
		ID: id, Type: string(m.ProtoReflect().Descriptor().FullName()), Data: data, Traceparent: "trace",
	}}
}

func TestListening(t *testing.T) {
	approved := recorded(t, "brand/1/2/0", &brandv1.BrandApproved{BrandId: "brand_a"})
	torn, nameless := approved, approved
	torn.Event.Data = []byte{0xff}
	nameless.Event.ID = "no position"
	tests := map[string]struct {
		records []eventkit.Record
		want    []string
	}{
		"an event becomes the command that it asks for": {[]eventkit.Record{approved}, []string{"brand_a brand/1/2/0 trace"}},
		"one that asks for nothing is passed over":      {[]eventkit.Record{recorded(t, "brand/1/3/0", &brandv1.BrandSuspended{BrandId: "brand_a"})}, nil},
		"what cannot be decoded holds nothing up":       {[]eventkit.Record{torn, nameless, {Value: []byte("no event")}, approved}, []string{"brand_a brand/1/2/0 trace"}},
		"events keep their order": {
			[]eventkit.Record{recorded(t, "brand/1/2/1", &brandv1.BrandApproved{BrandId: "brand_b"}), approved},
			[]string{"brand_b brand/1/2/1 trace", "brand_a brand/1/2/0 trace"},
		},
	}
	command := func(_ eventkit.Position, event journal.Fact) (journal.Command[*int], bool) {
		e, ok := event.(*brandv1.BrandApproved)
		return journal.Command[*int]{Key: e.GetBrandId()}, ok
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			n := &notes{}
			if err := journal.Listen(n, slog.New(slog.DiscardHandler), command).Handle(t.Context(), tc.records); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(n.heard, tc.want) {
				t.Errorf("heard %q, want %q", n.heard, tc.want)
			}
		})
	}
	t.Run("what is not durable is not committed", func(t *testing.T) {
		broken := errors.New("no database")
		err := journal.Listen(&notes{err: broken}, slog.New(slog.DiscardHandler), command).Handle(t.Context(), []eventkit.Record{approved})
		if !errors.Is(err, broken) {
			t.Errorf("got %v, want %v", err, broken)
		}
	})
}
