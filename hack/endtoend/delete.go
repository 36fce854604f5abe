package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/qingcang/qingcang/hack/internal/campaigns"
	"github.com/qingcang/qingcang/hack/internal/client/order"
)

// goneWithin is how long a deletion may take. It waits for nothing but the record of its end.
const goneWithin = "30s"

// shortHold is long enough to see a campaign drain, and short enough to wait for its end.
const shortHold = 40 * time.Second

// toDelete is a campaign on its way to the phase in which it is deleted.
type toDelete struct {
	phase string
	// start from now; minus for one that opens at once.
	start time.Duration
	// held and paid say whether somebody holds, or has paid, a unit before the sale is ended.
	held, paid, end bool
}

var deletions = []toDelete{
	{phase: "Preview", start: 2 * time.Hour},
	{phase: "Warming", start: 5 * time.Minute},
	{phase: "Live", paid: true},
	{phase: "Draining", held: true, end: true},
	{phase: "AfterSale", paid: true, end: true},
	{phase: "Settled", end: true},
}

// deleteInEachPhase brings a campaign into each phase and deletes it there. None hangs, the stock goes
// back, and who has paid keeps the order.
func (t *test) deleteInEachPhase(ctx context.Context) error {
	before, err := t.allocated(ctx)
	if err != nil {
		return err
	}
	paid := map[string]buyer{}
	for i, d := range deletions {
		if err := t.deleteIn(ctx, d, t.shop.buyers[i], paid); err != nil {
			return fmt.Errorf("in %s: %w", d.phase, err)
		}
	}
	for id, b := range paid {
		o, err := b.Order(ctx, id)
		if err != nil {
			return err
		}
		if o.State != order.OrderStatePaid {
			return t.Expect(false, "a paid order is %s after its campaign was deleted", o.State)
		}
	}
	err = soon(ctx, func(ctx context.Context) error {
		now, err := t.allocated(ctx)
		if err == nil && now != before+int64(len(paid)) {
			err = fmt.Errorf("%d units are allocated, %d were before, and %d have been sold", now, before, len(paid))
		}
		return err
	})
	if err != nil {
		return err
	}
	return t.Expect(true, "no paid order is lost, and the brand has all unsold units back")
}

// deleteIn brings one campaign to its phase and deletes it.
func (t *test) deleteIn(ctx context.Context, d toDelete, b buyer, paid map[string]buyer) error {
	const units = 10
	name := "delete-" + strings.ToLower(d.phase)
	c := t.shop.campaign(name, units)
	c.Start = c.Start.Add(d.start)
	c.End = c.Start.Add(time.Hour)
	if d.held {
		c.Hold = shortHold
	}
	if err := t.shop.desk.Apply(ctx, c); err != nil {
		return err
	}
	if d.start == 0 {
		if err := t.sellOne(ctx, c, d, b, paid); err != nil {
			return err
		}
	}
	if _, err := t.shop.reaches(ctx, name, d.phase); err != nil {
		return err
	}
	began := time.Now()
	if _, err := t.cluster.in(ctx, "delete", "campaign", name, "--timeout="+goneWithin); err != nil {
		return err
	}
	return t.Expect(true, "%s: gone after %.1f s", d.phase, time.Since(began).Seconds())
}

// sellOne opens a sale, has a unit held or paid, and ends it.
func (t *test) sellOne(ctx context.Context, c campaigns.Campaign, d toDelete, b buyer, paid map[string]buyer) error {
	status, err := t.shop.reaches(ctx, c.Name, "Live")
	if err != nil {
		return err
	}
	if d.held || d.paid {
		o, err := b.Place(ctx, status.UID, "e2e-"+c.Name, order.PlaceOrder{AddressId: b.addressID, Lines: []order.Line{{Sku: t.shop.item.Barcode, Units: 1}}})
		if err != nil {
			return err
		}
		if d.paid {
			if err := t.pay(ctx, b, "e2e-"+c.Name, o.OrderId); err != nil {
				return err
			}
			paid[o.OrderId] = b
			err = soon(ctx, func(ctx context.Context) error {
				now, err := b.Order(ctx, o.OrderId)
				if err == nil && now.State != order.OrderStatePaid {
					err = fmt.Errorf("the order is %s", now.State)
				}
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	if d.end {
		return t.shop.desk.EndNow(ctx, c.Name)
	}
	return nil
}

// allocated is how many units of the shop's SKU campaigns have.
func (t *test) allocated(ctx context.Context) (int64, error) {
	stock, err := t.shop.brand.Stock(ctx)
	for _, item := range stock {
		if item.Sku == t.shop.item.Barcode {
			return item.AllocatedUnits, err
		}
	}
	return 0, err
}
