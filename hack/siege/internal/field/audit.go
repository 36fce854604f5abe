package field

import (
	"context"
	"fmt"
	"time"

	"github.com/qingcang/qingcang/hack/internal/recount"
)

const (
	// settledWithin is how long events and payments may lag behind the lanes: a publisher that was
	// killed is missed after 6 s by the group, and its successor has to come up. After several kills in a
	// row the group took 25 s to agree; the embedded broker may wait 75 s for a member that was cut off.
	settledWithin = 90 * time.Second
	// With a planted bug nothing settles as it should.
	settledWithBug = 10 * time.Second
	auditEvery     = 300 * time.Millisecond
)

// Audit is what an independent count of the logs found.
type Audit struct {
	*recount.Result
	// Orders are the accepted ones by id.
	Orders map[string]recount.Accepted
}

// Units adds up what a campaign's orders hold and have bought.
func (a Audit) Units(campaign string) (held, sold int64) {
	for _, o := range a.Orders {
		switch {
		case o.Campaign != campaign:
		case o.Sold:
			sold += o.Units
		case o.Holds:
			held += o.Units
		}
	}
	return held, sold
}

// Lack is the first order of these that the log does not have.
func (a Audit) Lack(ids []string) error {
	for _, id := range ids {
		if _, ok := a.Orders[id]; !ok {
			return fmt.Errorf("order %s was answered with 201 and is not in the log", id)
		}
	}
	return nil
}

// Audit counts until nothing is amiss and settled finds nothing either, or the time is over; what
// is still amiss then is in the audit's faults.
func (f *Field) Audit(ctx context.Context, settled func(Audit) error) (Audit, error) {
	limit := settledWithin
	if f.opts.Mutant != "" {
		limit = settledWithBug
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ticker := time.NewTicker(auditEvery)
	defer ticker.Stop()
	var newest Audit
	var amiss, unread error
	for {
		log, err := recount.ReadSales(ctx, recount.Source{Kafka: f.Conn, Mongo: f.mongo})
		if ctx.Err() == nil {
			unread = err
		}
		if err == nil {
			newest.Result, newest.Orders = recount.CountSales(log)
			amiss = settled(newest)
			if amiss == nil && newest.Clean() {
				return newest, nil
			}
		}
		select {
		case <-ctx.Done():
			switch {
			case newest.Result == nil:
				return newest, fmt.Errorf("recount: %w", unread)
			case amiss != nil:
				newest.Faults = append(newest.Faults, amiss.Error())
			}
			return newest, nil
		case <-ticker.C:
		}
	}
}
