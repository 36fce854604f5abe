package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/qingcang/qingcang/hack/internal/client/order"
)

const (
	// pace lies between two orders while the disturbance lasts.
	pace = 150 * time.Millisecond
	// reserve are the units that are sold after the disturbance: it is not to end at an empty shelf.
	reserve = 20
	// tooMany are the orders that come when all is sold.
	tooMany = 10
)

// sale is a campaign, who buys in it, and what they were told.
type sale struct {
	*test
	name, uid string
	units     int64
	// buyers place the orders; they pay as the shop's own buyers, whose requests go to the shared pool.
	buyers []buyer

	mu       sync.Mutex
	accepted map[string]buyer // by the id of an order that was answered 201, who pays it
	soldOut  int
	slowest  time.Duration
}

// through sells the whole stock, with buyers at a steady pace from before to after what disturbs them.
// Nobody may be told anything but yes, and in the end that all is sold.
func (s *sale) through(ctx context.Context, disturb func(context.Context) error) error {
	buyers, buying := errgroup.WithContext(ctx) // the first complaint ends it all
	buyers.SetLimit(crowd)
	disturbed := make(chan error, 1)
	go func() { disturbed <- disturb(buying) }()
	placed := int64(0)
	place := func() {
		n := placed
		placed++
		buyers.Go(func() error { return s.buy(buying, n) })
	}
	ticker := time.NewTicker(pace)
	defer ticker.Stop()
	for going := true; going; {
		select {
		case <-buying.Done():
			return errors.Join(buyers.Wait(), <-disturbed)
		case err := <-disturbed:
			if err != nil {
				return errors.Join(err, buyers.Wait())
			}
			going = false
		case <-ticker.C:
			if placed < s.units-reserve {
				place()
			}
		}
	}
	during := placed
	for placed < s.units+tooMany {
		place()
	}
	if err := buyers.Wait(); err != nil {
		return err
	}
	s.Sees("%d orders came while it lasted, the slowest answer took %.1f s", during, s.slowest.Seconds())
	return s.settled(ctx)
}

// buy is one order of one unit, paid at once.
func (s *sale) buy(ctx context.Context, n int64) error {
	id, err := s.place(ctx, n)
	if err != nil || id == "" {
		return err
	}
	return s.pay(ctx, s.payer(n), s.key(n), id)
}

// key is what makes repetitions of the nth order one order.
func (s *sale) key(n int64) string { return fmt.Sprintf("e2e-%s-%d", s.name, n) }

// payer pays the nth order.
func (s *sale) payer(n int64) buyer { return s.shop.buyers[n%int64(len(s.shop.buyers))] }

// place asks for one unit and returns the order, none if all is sold.
func (s *sale) place(ctx context.Context, n int64) (id string, err error) {
	b := s.buyers[n%int64(len(s.buyers))]
	began := time.Now()
	o, err := b.Place(ctx, s.uid, s.key(n), order.PlaceOrder{AddressId: b.addressID, Lines: []order.Line{{Sku: s.shop.item.Barcode, Units: 1}}})
	took := time.Since(began)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slowest = max(s.slowest, took)
	switch {
	case err == nil:
		s.accepted[o.OrderId] = s.payer(n)
		return o.OrderId, nil
	case refusedWith(err, "sold_out"):
		s.soldOut++
		return "", nil
	}
	return "", err
}

func (t *test) pay(ctx context.Context, b buyer, key, orderID string) error {
	payment, err := b.Pay(ctx, key, orderID)
	if err != nil {
		return err
	}
	return t.shop.cast.Confirm(ctx, payment.Payment.PrepayId, false)
}

// settled checks what the sale came to: by the campaign's status, by the orders' pages, and by the
// recount of the logs.
func (s *sale) settled(ctx context.Context) error {
	if err := s.Expect(int64(len(s.accepted)) == s.units && s.soldOut == tooMany,
		"%d orders accepted, %d told that all is sold", len(s.accepted), s.soldOut); err != nil {
		return err
	}
	err := soon(ctx, func(ctx context.Context) error {
		all, err := s.shop.desk.Get(ctx, s.name)
		if err != nil {
			return err
		}
		if c := all[s.name]; c.Sold != s.units || c.Left != 0 {
			return fmt.Errorf("%d units are sold and %d left of %d", c.Sold, c.Left, s.units)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.shown(ctx); err != nil {
		return err
	}
	return s.judged(ctx, s.uid, s.units, s.accepted)
}

// shown checks that each accepted order is there and paid.
func (s *sale) shown(ctx context.Context) error {
	looks, ctx := errgroup.WithContext(ctx)
	looks.SetLimit(crowd)
	for id, b := range s.accepted {
		looks.Go(func() error {
			return soon(ctx, func(ctx context.Context) error {
				o, err := b.Order(ctx, id)
				if err == nil && o.State != order.OrderStatePaid {
					err = fmt.Errorf("order %s is %s, not paid", id, o.State)
				}
				return err
			})
		})
	}
	if err := looks.Wait(); err != nil {
		return err
	}
	return s.Expect(true, "each of them is there, and paid")
}
