package lane

import (
	"context"

	"github.com/qingcang/qingcang/proto/eventkit"
)

// ahead reads a lane's log. While the replica is behind, the next records are
// fetched as the present ones are applied, so that a start takes hardly longer than
// reading. It is not safe for concurrent use.
type ahead struct {
	coming  chan fetched // nil if nothing is on its way
	fetches func(ctx context.Context, offset int64) ([]eventkit.Record, error)
}

type fetched struct {
	from    int64
	records []eventkit.Record
	err     error
}

func newAhead(l *Lane) *ahead {
	return &ahead{fetches: func(ctx context.Context, offset int64) ([]eventkit.Record, error) {
		return l.conn.Fetch(ctx, l.topic, l.partition, offset)
	}}
}

// fetch returns the records from an offset on, as eventkit's Fetch does. Goal is an
// offset that the log is known to reach.
func (a *ahead) fetch(ctx context.Context, offset, goal int64) ([]eventkit.Record, error) {
	got := a.take(ctx, offset)
	if got.err == nil && len(got.records) > 0 {
		if next := got.records[len(got.records)-1].Offset + 1; next < goal {
			a.order(ctx, next)
		}
	}
	return got.records, got.err
}

// take returns what was ordered, if it is what is asked for now.
func (a *ahead) take(ctx context.Context, offset int64) fetched {
	if a.coming != nil {
		select {
		case got := <-a.coming:
			if a.coming = nil; got.from == offset {
				return got
			}
		case <-ctx.Done():
			return fetched{err: ctx.Err()}
		}
	}
	records, err := a.fetches(ctx, offset)
	return fetched{offset, records, err}
}

func (a *ahead) order(ctx context.Context, offset int64) {
	coming := make(chan fetched, 1)
	a.coming = coming
	go func() {
		records, err := a.fetches(ctx, offset)
		coming <- fetched{offset, records, err}
	}()
}
