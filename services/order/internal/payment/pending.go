package payment

import (
	"cmp"
	"fmt"
	"slices"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	fulfilmentv1 "github.com/qingcang/qingcang/proto/gen/fulfilment/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
)

// Pending is a foreign fact that waits for another.
type Pending struct{ Fact Fact }

// MarshalJSON writes the fact with its type.
func (p Pending) MarshalJSON() ([]byte, error) {
	packed, err := anypb.New(p.Fact)
	if err != nil {
		return nil, fmt.Errorf("pack a pending fact: %w", err)
	}
	return protojson.Marshal(packed)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (p *Pending) UnmarshalJSON(data []byte) error {
	var packed anypb.Any
	if err := protojson.Unmarshal(data, &packed); err != nil {
		return fmt.Errorf("read a pending fact: %w", err)
	}
	fact, err := packed.UnmarshalNew()
	if err != nil {
		return fmt.Errorf("unpack a pending fact: %w", err)
	}
	p.Fact = fact
	return nil
}

// Foreign reports whether a fact is another source's, kept because it came
// early. Foreign facts stay in the journal: their source has published them.
func Foreign(f Fact) bool { return rank(f) > 0 }

// rank orders foreign facts as they come to pass; what is ours has none.
func rank(f Fact) int {
	switch f.(type) {
	case *orderv1.OrderReleased:
		return 1
	case *orderv1.OrderConfirmed, *orderv1.PaymentUnwanted:
		return 2
	case *fulfilmentv1.ParcelShipped:
		return 3
	case *fulfilmentv1.ReturnReceived:
		return 4
	case *fulfilmentv1.ReturnWindowClosed:
		return 5
	default:
		return 0
	}
}

func inRank(waiting []Pending) []Pending {
	return slices.SortedStableFunc(slices.Values(waiting), func(a, b Pending) int {
		return cmp.Compare(rank(a.Fact), rank(b.Fact))
	})
}

func (o *Order) waits(f Fact) bool {
	return slices.ContainsFunc(o.Pending, func(p Pending) bool { return proto.Equal(p.Fact, f) })
}
