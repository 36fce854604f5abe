package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/qingcang/qingcang/hack/internal/actor"
	"github.com/qingcang/qingcang/hack/internal/client/fulfilment"
)

const (
	// packers work in all warehouses together.
	packers = 24
	// listPage is how many waiting shipping orders a warehouse looks at.
	listPage = 200
	// A warehouse looks at its list again after the first pause, or later while nothing is new. Each
	// look makes the service look into all shards of its journal.
	firstLook = 500 * time.Millisecond
	lastLook  = 2 * time.Second
	// parcelTimeout bounds how long nothing may be signed for while orders are open.
	parcelTimeout = 2 * time.Minute
)

// warehouse ships a brand's orders whole. It asks for the list of what waits, not for each order.
type warehouse struct {
	brand *actor.Brand
	wake  chan struct{}

	mu   sync.Mutex
	open map[string]*bought // accepted and not signed for, by order id
}

func newWarehouse(brand *actor.Brand) *warehouse {
	return &warehouse{brand: brand, wake: make(chan struct{}, 1), open: map[string]*bought{}}
}

// expect says that a shipping order for b will come.
func (w *warehouse) expect(b *bought) {
	w.mu.Lock()
	w.open[b.orderID] = b
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default: // it is awake
	}
}

func (w *warehouse) waiting() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.open)
}

// signed forgets an order that is done.
func (w *warehouse) signed(orderID string) {
	w.mu.Lock()
	b, ok := w.open[orderID]
	delete(w.open, orderID)
	w.mu.Unlock()
	if ok {
		close(b.signed)
	}
}

// parcel is a shipping order on a packer's table.
type parcel struct {
	warehouse *warehouse
	order     fulfilment.ShippingOrder
}

func (r *replay) openWarehouses(ctx context.Context) {
	table := make(chan parcel)
	for _, w := range r.warehouses {
		r.beside(func() error { return w.watch(ctx, table) })
	}
	for range packers {
		r.beside(func() error {
			for {
				select {
				case p := <-table:
					if err := r.deliver(ctx, p); err != nil {
						return err
					}
				case <-ctx.Done():
					return nil
				}
			}
		})
	}
}

// watch puts each shipping order on the table once.
func (w *warehouse) watch(ctx context.Context, table chan<- parcel) error {
	seen := map[string]bool{}
	pause := firstLook
	for {
		if w.waiting() == 0 {
			select {
			case <-w.wake:
			case <-ctx.Done():
				return nil
			}
		}
		list, err := w.brand.ShippingOrders(ctx, listPage)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // why is known
		}
		if err != nil {
			return err
		}
		pause = min(2*pause, lastLook)
		for _, order := range list {
			if seen[order.ShippingOrderId] {
				continue
			}
			seen[order.ShippingOrderId] = true
			pause = firstLook
			select {
			case table <- parcel{w, order}:
			case <-ctx.Done():
				return nil
			}
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil
		}
	}
}

// deliver picks, ships whole, and has the parcel signed for.
func (r *replay) deliver(ctx context.Context, p parcel) error {
	id := p.order.ShippingOrderId
	err := p.warehouse.ship(ctx, p.order)
	if err == nil {
		_, err = r.carrier.SignFor(ctx, id)
	}
	if ctx.Err() != nil {
		return nil //nolint:nilerr // why is known
	}
	if err != nil {
		return fmt.Errorf("deliver %s: %w", id, err)
	}
	p.warehouse.signed(p.order.OrderId)
	r.progress.delivered()
	return nil
}

func (w *warehouse) ship(ctx context.Context, o fulfilment.ShippingOrder) error {
	if _, err := w.brand.Pick(ctx, o.ShippingOrderId); err != nil {
		return err
	}
	carrier, waybill := "SF", "SF-"+o.ShippingOrderId[len(o.ShippingOrderId)-16:]
	shipment := fulfilment.Shipment{Carrier: &carrier, WaybillNo: &waybill}
	for _, l := range o.Lines {
		shipment.Lines = append(shipment.Lines, fulfilment.ShipmentLine{Sku: l.Sku, Num: l.Units, Realnum: l.Units})
	}
	return w.brand.Ship(ctx, "replay-shipment", o.ShippingOrderId, shipment)
}

// awaitParcels returns when every accepted order is signed for.
func (r *replay) awaitParcels(ctx context.Context) error {
	last, since := -1, time.Now()
	for {
		open, example := 0, ""
		for _, w := range r.warehouses {
			w.mu.Lock()
			open += len(w.open)
			for id := range w.open {
				example = id
			}
			w.mu.Unlock()
		}
		if open == 0 {
			return nil
		}
		if open != last {
			last, since = open, time.Now()
		}
		if time.Since(since) > parcelTimeout {
			return fmt.Errorf("%d orders were accepted and not signed for, and nothing has happened for %s; one is %s", open, parcelTimeout, example)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
