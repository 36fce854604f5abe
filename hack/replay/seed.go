package main

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/qingcang/qingcang/hack/internal/client/brandintake"
	"github.com/qingcang/qingcang/hack/internal/poll"
	"github.com/qingcang/qingcang/hack/internal/retail"
	"github.com/qingcang/qingcang/hack/internal/stockfile"
)

// seedTimeout bounds the making of the world.
const seedTimeout = 2 * time.Minute

// seed makes brands with approved stock, and owners who paid the fee.
func (r *replay) seed(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, seedTimeout)
	defer cancel()
	var err error
	if r.operations, err = r.cast.Staff(ctx, "operations"); err != nil {
		return err
	}
	if r.carrier, err = r.cast.Staff(ctx, "carrier"); err != nil {
		return err
	}
	stock := r.demand.Stock()
	return together(
		func() error {
			return each(retail.Brands, func(brand int) error { return r.seedBrand(ctx, brand, stock[brand]) })
		},
		func() error {
			return each(ownerCount, func(owner int) error { return r.seedOwner(ctx, owner) })
		},
	)
}

// together runs all of them at once and returns the first error in their order.
func together(all ...func() error) error {
	errs := make(chan error, len(all))
	for _, do := range all {
		go func() { errs <- do() }()
	}
	var first error
	for range all {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
	}
	return first
}

// each runs do for 0 to n−1, all at once: n is small.
func each(n int, do func(int) error) error {
	all := make([]func() error, n)
	for i := range all {
		all[i] = func() error { return do(i) }
	}
	return together(all...)
}

func (r *replay) seedBrand(ctx context.Context, number int, stock []retail.Item) error {
	name := fmt.Sprintf("Replay brand %d", number)
	id, err := r.cast.ApplyBrand(ctx, fmt.Sprintf("replay-brand-%d", number), name,
		brandintake.Contact{Name: "Replay Contact", Phone: "+8613800000000", Email: "replay@example.com"})
	if err != nil {
		return err
	}
	if err := r.operations.ApproveBrand(ctx, id); err != nil {
		return err
	}
	key, err := r.operations.IssueKey(ctx, id, fmt.Sprintf("replay-key-%d", number))
	if err != nil {
		return err
	}
	r.warehouses[number] = newWarehouse(r.cast.Brand(id, key))
	if len(stock) == 0 {
		return nil
	}
	file, rows, err := r.stockFile(stock)
	if err != nil {
		return err
	}
	submission, err := r.warehouses[number].brand.Submit(ctx, fmt.Sprintf("replay-stock-%d", number), file)
	if err != nil {
		return err
	}
	if submission.RowsTaken != int64(rows) {
		return fmt.Errorf("%d of %d rows of %s were taken: %+v", submission.RowsTaken, rows, name, submission.Faults)
	}
	return r.operations.ApproveSubmission(ctx, id, submission.SubmissionId)
}

// maxRowUnits is the most that one row of a stock file may bring; rows of one barcode add up.
const maxRowUnits = 1_000_000

// stockFile writes what a brand's campaigns will need over all weeks. The tag price is the price.
func (r *replay) stockFile(stock []retail.Item) (file []byte, count int, err error) {
	var rows []stockfile.Row
	for _, item := range stock {
		price := r.demand.Prices[item.SKU]
		for left := item.Units; left > 0; left -= maxRowUnits {
			rows = append(rows, stockfile.Row{
				StyleNo: styleOf(item.SKU), Barcode: item.SKU, Name: "Goods " + item.SKU, Category: "General", Colour: "-", Size: "-",
				TagPriceFen: price.Fen, SettlementFen: price.SettlementFen, Units: min(left, maxRowUnits),
				Warehouse: "Replay", Season: "Replay",
			})
		}
	}
	var out bytes.Buffer
	err = stockfile.Write(&out, rows)
	return out.Bytes(), len(rows), err
}

// styleOf is the digits of a code: the letters behind them are variants of one style.
func styleOf(sku string) string { return sku[:5] }

func (r *replay) seedOwner(ctx context.Context, number int) error {
	person, err := r.cast.LogIn(ctx, fmt.Sprintf("owner-%02d", number))
	if err != nil {
		return err
	}
	membership, err := person.OrderMembership(ctx, "replay-membership")
	if err != nil {
		return err
	}
	if membership.Payment == nil {
		return fmt.Errorf("membership %s came without a payment", membership.MembershipId)
	}
	if err := r.cast.Confirm(ctx, membership.Payment.PrepayId, false); err != nil {
		return err
	}
	err = poll.Until(ctx, func(ctx context.Context) error {
		m, err := person.Membership(ctx, membership.MembershipId)
		if err == nil && m.State != "paid" {
			err = fmt.Errorf("the membership is %s", m.State)
		}
		return err
	})
	if err != nil {
		return err
	}
	r.owners[number] = person
	return person.TakeOwnerToken(ctx)
}
