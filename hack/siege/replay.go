package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/qingcang/qingcang/hack/internal/poll"
	"github.com/qingcang/qingcang/hack/siege/internal/field"
)

const (
	// untilSnapshot is more entries than are between two snapshots of a lane, and toMark more than
	// between two marks.
	untilSnapshot, toMark = 205_000, 5_000
	// regulars buy all they may but one unit, and pay; later each asks for two more.
	regulars, regularLimit = 20, 3
	// snapshotWithin is how long a snapshot may take that is due.
	snapshotWithin = 40 * time.Second
	// wholeAfter is long for the next piece of a snapshot to come.
	wholeAfter = 3 * time.Second
)

// compare counts the places at which ledgers were compared: both replicas', and those that were built
// again after a kill. Equal logs have to make equal ledgers.
func (s *siege) compare() (compared int, different []string, err error) {
	marks, err := s.Marks()
	if err != nil {
		return 0, nil, err
	}
	for at, digests := range marks {
		if len(digests) < 2 {
			continue
		}
		compared++
		for _, d := range digests[1:] {
			if d != digests[0] {
				different = append(different, fmt.Sprintf("lane %s at %d: two ledgers have the digests %s and %s", at.Lane, at.Next, digests[0], d))
				break
			}
		}
	}
	return compared, different, nil
}

// rebuilt has replicas begin with a snapshot and with a log, lets them decide about what the snapshot
// has to remember, and compares the ledgers. A trial is a place in a log at which two were compared.
func rebuilt(ctx context.Context, s *siege) error {
	much := s.sale(1_000_000_000)
	few := field.Sale{UID: much.UID + "-few", Units: 1_000, Lane: much.Lane, Limit: regularLimit}
	if err := s.Open(ctx, much, few); err != nil {
		return err
	}
	buyers, err := s.Shop.Buyers("regular", regulars)
	if err != nil {
		return err
	}
	for _, b := range buyers {
		a := s.Shop.Buy(ctx, field.Intent{Buyer: b, Key: "first-" + b.ID, Campaign: few.UID, Units: regularLimit - 1})
		if paid := s.Shop.Pay(ctx, b, a.OrderID); paid.Status != http.StatusOK {
			return fmt.Errorf("an order cannot be paid: %v, and was answered %v", paid, a)
		}
	}
	written := 0
	write := func(n int) error {
		written += n
		return s.Write(ctx, much, written-n, n)
	}
	for before, grow := 0, untilSnapshot; !s.over(); grow = toMark {
		if err := write(grow); err != nil {
			return err
		}
		if before == 0 {
			if err := s.awaitSnapshot(ctx); err != nil {
				return err
			}
		}
		for _, replica := range field.Replicas {
			if err := errors.Join(s.CrashAtRest(ctx, replica), s.Back(ctx, replica)); err != nil {
				return err
			}
			for i, b := range buyers {
				if a := s.Shop.Buy(ctx, field.Intent{Buyer: b, Key: fmt.Sprintf("again-%d-%d-%s", s.tried, i, replica), Campaign: few.UID, Units: 2}); a.Status != http.StatusConflict {
					s.tell("after a start", 1, fmt.Sprintf("%s: who may have one unit more gets two: %v", replica, a))
				}
			}
			if err := write(toMark); err != nil {
				return err
			}
		}
		compared, different, err := s.compare()
		if err != nil {
			return err
		}
		if compared == before {
			return errors.New("no ledger tells its digest")
		}
		s.tell(fmt.Sprintf("%d marks", compared), compared-before, different...)
		before = compared
	}
	return nil
}

// awaitSnapshot returns when the database has a snapshot of a lane, and for some time no more pieces
// have come: it is whole.
func (s *siege) awaitSnapshot(ctx context.Context) error {
	var pieces int64
	var since time.Time
	return poll.Within(ctx, snapshotWithin, func(ctx context.Context) error {
		now, err := s.Snapshots(ctx)
		if err != nil {
			return err
		}
		if now != pieces {
			pieces, since = now, time.Now()
		}
		if pieces == 0 || time.Since(since) < wholeAfter {
			return fmt.Errorf("there are %d pieces of snapshots", pieces)
		}
		return nil
	})
}
