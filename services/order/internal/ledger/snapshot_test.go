package ledger_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
	"github.com/qingcang/qingcang/services/order/internal/ledger/ledgertest"
)

// TestADamagedSnapshotIsRefused: a checksum keeps such bytes away; where it does not, the
// lane must begin with its log and not with a ledger that panics or sells twice.
func TestADamagedSnapshotIsRefused(t *testing.T) {
	l := ledgertest.New()
	apply(t, l, 0, append(opened("a4"), place("o1", "ann", "a1"), place("o2", "bob", "a2"))...)
	whole := encode(t, l)
	head := 8 + binary.LittleEndian.Uint64(whole)
	const hold = 48 // bytes, see snapshot.go
	for name, damaged := range map[string][]byte{
		"nothing":                          nil,
		"a length and no more":             whole[:8],
		"half of its head":                 whole[:head/2],
		"one byte less":                    whole[:len(whole)-1],
		"one byte more":                    append(bytes.Clone(whole), 0),
		"an order that holds, and no hold": altered(t, whole[:len(whole)-hold], `"holds":2`, `"holds":1`),
		"fewer than no accounts":           altered(t, whole, `"accounts":2`, `"accounts":-2`),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := ledger.Decode(damaged); err == nil {
				t.Error("it was taken for a ledger")
			}
		})
	}
}

// altered returns a snapshot with one thing in its head replaced.
func altered(t *testing.T, raw []byte, what, by string) []byte {
	t.Helper()
	n := binary.LittleEndian.Uint64(raw)
	head := bytes.Replace(raw[8:8+n], []byte(what), []byte(by), 1)
	if bytes.Equal(head, raw[8:8+n]) {
		t.Fatalf("the snapshot does not say %s", what)
	}
	changed := binary.LittleEndian.AppendUint64(nil, uint64(len(head)))
	return append(append(changed, head...), raw[8+n:]...)
}

// TestAPaymentThatNamesOneSKUTwice: its lines are one, or two would be sold of the one
// that is left.
func TestAPaymentThatNamesOneSKUTwice(t *testing.T) {
	l := ledgertest.New()
	apply(t, l, 0, append(opened("a2"), place("o1", "ann", "a2"), cancel("o1"), place("o2", "bob", "a1"))...)
	twice := &record.Pay{
		OrderID: "o1", CampaignUID: "sale", PaymentID: "p1", Fen: 200, BuyerID: "ann",
		Lines: []record.Units{{SKU: "a", Units: 1}, {SKU: "a", Units: 1}},
	}
	if _, err := l.Ledger.Apply(9, entry(twice)); err != nil {
		t.Fatal(err)
	}
	if s, _ := l.Status("sale"); s.GetLeftUnits() != 1 || s.GetSoldUnits() != 0 {
		t.Errorf("%d units are left and %d sold, want 1 and 0", s.GetLeftUnits(), s.GetSoldUnits())
	}
}
