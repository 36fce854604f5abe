package field

import (
	"context"
	"fmt"

	"github.com/qingcang/qingcang/hack/internal/offers"
	"github.com/qingcang/qingcang/proto/lane/record"
)

const (
	// firstRules are those that every binary knows.
	firstRules = 1
	// writer is nobody: no replica takes these entries for its own.
	writer     = 1
	writeBatch = 1_000
)

// Write appends orders of one unit to a sale's lane as a replica would, and past the replicas: to have
// a long log soon. Before is how many were written already.
func (f *Field) Write(ctx context.Context, sale Sale, before, orders int) error {
	for done := 0; done < orders; done += writeBatch {
		values := make([][]byte, 0, writeBatch)
		for n := before + done; n < before+min(done+writeBatch, orders); n++ {
			entry := record.Entry{Rules: firstRules, Writer: writer, Seq: uint32(n), Command: &record.Place{
				OrderID: fmt.Sprintf("ord_%026d", n), CampaignUID: sale.UID, BuyerID: fmt.Sprintf("mem_%026d", n%50_000),
				AddressID: address, BodyHash: uint64(n), Lines: []record.Units{{SKU: SKU, Units: 1}},
			}}
			value, err := entry.Append(nil)
			if err != nil {
				return fmt.Errorf("encode an order: %w", err)
			}
			values = append(values, value)
		}
		if _, err := f.Conn.Append(ctx, offers.LaneTopic, sale.Lane, values); err != nil {
			return err
		}
	}
	return nil
}
