package systems

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/qingcang/qingcang/hack/internal/offers"
	"github.com/qingcang/qingcang/proto/lane/record"
)

const (
	// rulesNumber is that of the entries which the bench writes itself.
	rulesNumber = 1
	fillWriter  = 1 // a replica's number is random, and not this
	fillBatch   = 1_000
)

// Fill appends orders of a sale to the lane as a replica would, and past the replica: to have a long log
// soon. It continues behind those that a Fill before has written.
func (us *Ours) Fill(ctx context.Context, sale Sale, orders int) error {
	values := make([][]byte, 0, fillBatch)
	for orders > 0 {
		values = values[:0]
		for range min(orders, fillBatch) {
			us.filled++
			entry := record.Entry{Rules: rulesNumber, Writer: fillWriter, Seq: uint32(us.filled), Command: &record.Place{
				OrderID: fmt.Sprintf("ord_%026d", us.filled), CampaignUID: sale.Campaign, AddressID: address,
				BuyerID: fmt.Sprintf("mem_%026d", us.filled%Buyers), BodyHash: uint64(us.filled),
				Lines: []record.Units{{SKU: sale.SKU, Units: 1}},
			}}
			value, err := entry.Append(nil)
			if err != nil {
				return fmt.Errorf("encode an order: %w", err)
			}
			values = append(values, value)
		}
		if _, err := us.conn.Append(ctx, offers.LaneTopic, lane, values); err != nil {
			return err
		}
		orders -= len(values)
	}
	return nil
}

// ResidentBytes is the resident memory of the order service itself.
func (us *Ours) ResidentBytes() (int64, error) {
	pids, err := us.PIDs()
	if err != nil {
		return 0, err
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pids[0]))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text)) // size, resident, … in pages; see proc(5)
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}
