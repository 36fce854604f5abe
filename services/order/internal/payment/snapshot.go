package payment

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// snapshotVersion changes with what a snapshot means; one of another version is
// not read, and the shard is folded from its journal.
const snapshotVersion = 2

var errSnapshotVersion = errors.New("a snapshot of another version")

type snapshot struct {
	Version int       `json:"version"`
	Orders  []*Order  `json:"orders"`
	Bills   []Pending `json:"bills,omitempty"`
}

// Encode writes a snapshot; equal shards give equal bytes.
func (s *Orders) Encode() ([]byte, error) {
	out := snapshot{
		Version: snapshotVersion,
		Orders:  slices.SortedFunc(maps.Values(s.byID), func(a, b *Order) int { return cmp.Compare(a.ID, b.ID) }),
	}
	for _, date := range slices.Sorted(maps.Keys(s.bills)) {
		out.Bills = append(out.Bills, Pending{Fact: s.bills[date]})
	}
	data, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("encode orders: %w", err)
	}
	return data, nil
}

// DecodeOrders reads what Encode wrote.
func DecodeOrders(data []byte) (*Orders, error) {
	var in snapshot
	if err := json.Unmarshal(data, &in); err != nil {
		return nil, fmt.Errorf("decode orders: %w", err)
	}
	if in.Version != snapshotVersion {
		return nil, errSnapshotVersion
	}
	s := NewOrders()
	for _, o := range in.Orders {
		s.put(o)
	}
	for _, b := range in.Bills {
		s.applyBill(b.Fact)
	}
	return s, nil
}
