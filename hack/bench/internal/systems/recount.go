package systems

import (
	"context"
	"fmt"
	"time"

	"github.com/qingcang/qingcang/hack/internal/lanelog"
	"github.com/qingcang/qingcang/hack/internal/offers"
	"github.com/qingcang/qingcang/proto/eventkit"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
)

// recounter reads the lane and what the lane decided, and decides again by itself: the first come
// are held as long as units are left. It shares no code with the order service.
type recounter struct {
	conn *eventkit.Conn

	laneNext, eventNext int64
	asked               map[string]bool             // orders, by id, that stand in the lane
	left                map[string]int64            // by campaign, by our own count
	want                map[string]map[string]int64 // what should be held: campaign, order, units
	held                map[string]map[string]int64 // what the lane's events say is held
	twice               map[string]int64
	last                eventkit.Position
}

func newRecounter(conn *eventkit.Conn) *recounter {
	r := &recounter{
		conn: conn, asked: map[string]bool{}, left: map[string]int64{}, twice: map[string]int64{},
		want: map[string]map[string]int64{}, held: map[string]map[string]int64{},
	}
	for _, sale := range []Sale{Hot, Last} {
		r.left[sale.Campaign], r.want[sale.Campaign], r.held[sale.Campaign] = sale.Units, map[string]int64{}, map[string]int64{}
	}
	return r
}

const (
	// publishedWithin is how long the lane's events may lag behind the lane: a publisher that was
	// killed is missed after 6 s by the group, and its successor has to come up.
	publishedWithin = 30 * time.Second
	publishedCheck  = 200 * time.Millisecond
)

// recount takes in what is new in the log, waits until all of it is published, and compares.
func (us *Ours) recount(ctx context.Context, sale Sale) (Books, error) {
	r := us.log
	ticker := time.NewTicker(publishedCheck)
	defer ticker.Stop()
	for end := time.Now().Add(publishedWithin); ; {
		if err := r.follow(ctx, offers.LaneTopic, &r.laneNext, r.place); err != nil {
			return Books{}, err
		}
		if err := r.follow(ctx, laneEvents, &r.eventNext, r.decided); err != nil {
			return Books{}, err
		}
		if len(r.held[sale.Campaign]) >= len(r.want[sale.Campaign]) || time.Now().After(end) {
			break
		}
		select {
		case <-ctx.Done():
			return Books{}, ctx.Err()
		case <-ticker.C:
		}
	}
	books := Books{Orders: r.held[sale.Campaign], Left: r.left[sale.Campaign], Duplicates: r.twice[sale.Campaign]}
	return books, r.disagreement(sale)
}

// disagreement is where the lane's events differ from what the lane means by our own count.
func (r *recounter) disagreement(sale Sale) error {
	want, held := r.want[sale.Campaign], r.held[sale.Campaign]
	for id := range want {
		if _, ok := held[id]; !ok {
			return fmt.Errorf("by the lane %s should be held, and no event says so", id)
		}
	}
	for id := range held {
		if _, ok := want[id]; !ok {
			return fmt.Errorf("an event says that %s is held, and by the lane it should not be", id)
		}
	}
	return nil
}

func (r *recounter) follow(ctx context.Context, topic string, next *int64, take func(eventkit.Record) error) error {
	end, err := r.conn.EndOffset(ctx, topic, lane)
	if err != nil {
		return err
	}
	for *next < end {
		records, err := r.conn.Fetch(ctx, topic, lane, *next)
		if err != nil {
			return err
		}
		for _, record := range records {
			if err := take(record); err != nil {
				return fmt.Errorf("%s/%d at %d: %w", topic, lane, record.Offset, err)
			}
			*next = record.Offset + 1
		}
	}
	return nil
}

// place decides an order anew.
func (r *recounter) place(record eventkit.Record) error {
	entry, err := lanelog.Read(record.Value)
	if err != nil {
		return err
	}
	p, ok := entry.Command.(lanelog.Place)
	if !ok || r.asked[p.Order] || r.want[p.Campaign] == nil {
		return nil
	}
	r.asked[p.Order] = true
	var units int64
	for _, line := range p.Lines {
		units += line.Units
	}
	if units <= r.left[p.Campaign] {
		r.left[p.Campaign] -= units
		r.want[p.Campaign][p.Order] = units
	}
	return nil
}

// decided notes what was held. A publisher may repeat itself; a repeat has the same id.
func (r *recounter) decided(record eventkit.Record) error {
	at, err := record.Event.Position()
	if err != nil {
		return err
	}
	if r.last.Source != "" && !at.After(r.last) {
		return nil
	}
	r.last = at
	fact, err := record.Event.Decode()
	if err != nil {
		return err
	}
	o, ok := fact.(*orderv1.OrderHeld)
	if !ok || r.held[o.GetCampaignUid()] == nil {
		return nil
	}
	if _, again := r.held[o.GetCampaignUid()][o.GetOrderId()]; again {
		r.twice[o.GetCampaignUid()]++
	}
	for _, line := range o.GetLines() {
		r.held[o.GetCampaignUid()][o.GetOrderId()] += line.GetUnits()
	}
	return nil
}
