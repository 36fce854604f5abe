package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/qingcang/qingcang/hack/internal/poll"
	"github.com/qingcang/qingcang/hack/siege/internal/field"
)

const (
	// smallDisk has room for the data of this siege and not much more.
	smallDisk = 48 << 20
	// fullWithin is how soon a full disk shows: what was set aside before is used up first.
	fullWithin = 20 * time.Second
)

// fullDisk fills the disk of the broker, then that of the database, and frees it again. The order
// service says 503 to what needs the disk and goes on with the rest, and all is as before afterwards.
func fullDisk(ctx context.Context, s *siege) error {
	sale := s.sale(10_000_000)
	if err := s.Open(ctx, sale); err != nil {
		return err
	}
	buyers, err := s.Shop.Buyers("disk", 200)
	if err != nil {
		return err
	}
	g := &grid{siege: s, sale: sale, buyers: buyers}
	if err := g.sound(ctx); err != nil {
		return err
	}
	if g.goroutines, err = g.count(ctx); err != nil {
		return err
	}
	for n := 0; !s.over(); n++ {
		store := []string{field.Broker, field.Database}[n%2]
		g.faults = newFaults()
		paying, err := g.prepare(ctx, field.ReplicaA)
		if err != nil {
			return err
		}
		opened := g.Shop.OpenPayment(ctx, field.ReplicaA, paying.buyer, paying.id)
		if err := s.Fill(store); err != nil {
			return err
		}
		g.runsFull(ctx, store)
		freed := time.Now()
		if err := s.Empty(store); err != nil {
			return err
		}
		if a := g.Shop.Confirm(ctx, opened.Prepay); a.Status != http.StatusOK {
			g.faults.add("WeChat Pay does not take the money: %v", a)
		}
		g.recovers(ctx, freed, paying)
		found := g.faults.all()
		s.note("%s: back %.1f s after its disk had room again, %d amiss", store, time.Since(freed).Seconds(), len(found))
		s.tell("the full disk of the "+store, 1, found...)
	}
	return g.judge(ctx)
}

// runsFull asks until what needs the disk is refused as it should be.
func (m *grid) runsFull(ctx context.Context, store string) {
	err := poll.Within(ctx, fullWithin, func(ctx context.Context) error {
		i := m.intent()
		placed := m.Shop.Place(ctx, field.ReplicaA, i)
		if placed.Status == http.StatusCreated {
			m.keep(placed.OrderID)
		}
		needs, what := placed, "an order"
		if store == field.Database {
			if placed.Status != http.StatusCreated {
				return fmt.Errorf("an order is answered %v", placed)
			}
			needs, what = m.Shop.OpenPayment(ctx, field.ReplicaA, i.Buyer, placed.OrderID), "a payment"
		}
		if needs.Status != http.StatusServiceUnavailable && needs.Status != http.StatusGatewayTimeout {
			return fmt.Errorf("%s is answered %v, want 503 or 504", what, needs)
		}
		return nil
	})
	if err != nil {
		m.faults.add("with a full disk of the %s: %v", store, err)
	}
}
