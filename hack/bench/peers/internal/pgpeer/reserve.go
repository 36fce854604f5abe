package pgpeer

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/qingcang/qingcang/services/bench-peers/internal/door"
)

// Rows reserves with one transaction an order.
type Rows struct{ Pool *pgxpool.Pool }

// Reserve implements door.Reserver.
func (r Rows) Reserve(ctx context.Context, o door.Order) (held bool, err error) {
	err = r.Pool.QueryRow(ctx, `SELECT place($1, $2, $3, $4, $5, $6, $7)`,
		o.ID, o.Campaign, o.SKU, o.Buyer, o.Address, o.Units, o.Deadline).Scan(&held)
	return held, err
}

// checkViolation is PostgreSQL's code for a CHECK that does not hold.
const checkViolation = "23514"

// maxBatch bounds the orders of one transaction.
const maxBatch = 1_000

// Batches reserves all that waits in one transaction; while one is on its way, the next gathers.
type Batches struct {
	pool  *pgxpool.Pool
	queue chan *waiting
}

type waiting struct {
	order door.Order
	done  chan outcome // has room for one
}

type outcome struct {
	held bool
	err  error
}

// NewBatches starts the one goroutine that talks to PostgreSQL; it ends with ctx.
func NewBatches(ctx context.Context, pool *pgxpool.Pool) *Batches {
	b := &Batches{pool: pool, queue: make(chan *waiting, 4*maxBatch)}
	go b.run(ctx)
	return b
}

// Reserve implements door.Reserver.
func (b *Batches) Reserve(ctx context.Context, o door.Order) (bool, error) {
	w := &waiting{order: o, done: make(chan outcome, 1)}
	select {
	case b.queue <- w:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	select {
	case out := <-w.done:
		return out.held, out.err
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

func (b *Batches) run(ctx context.Context) {
	var next *waiting // a repeat of an order of the batch before
	for {
		batch := b.gather(ctx, &next)
		if len(batch) == 0 {
			return
		}
		held, err := b.place(ctx, batch)
		for i, w := range batch {
			if err != nil {
				w.done <- outcome{err: err}
				continue
			}
			w.done <- outcome{held: held[i]}
		}
	}
}

// gather waits for an order and takes all that wait with it; nothing when ctx ends. One batch
// never holds an order twice.
func (b *Batches) gather(ctx context.Context, next **waiting) []*waiting {
	first := *next
	*next = nil
	if first == nil {
		select {
		case <-ctx.Done():
			return nil
		case first = <-b.queue:
		}
	}
	batch, seen := []*waiting{first}, map[string]struct{}{first.order.ID: {}}
	for len(batch) < maxBatch {
		select {
		case w := <-b.queue:
			if _, twice := seen[w.order.ID]; twice {
				*next = w
				return batch
			}
			seen[w.order.ID] = struct{}{}
			batch = append(batch, w)
		default:
			return batch
		}
	}
	return batch
}

func (b *Batches) place(ctx context.Context, batch []*waiting) (held []bool, err error) {
	n := len(batch)
	ids, campaigns, skus, buyers, addresses := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	units := make([]int64, n)
	for i, w := range batch {
		o := w.order
		ids[i], campaigns[i], skus[i], buyers[i], addresses[i], units[i] = o.ID, o.Campaign, o.SKU, o.Buyer, o.Address, o.Units
	}
	arguments := []any{ids, campaigns, skus, buyers, addresses, units, batch[0].order.Deadline}
	_, err = b.pool.Exec(ctx, `SELECT place_whole($1, $2, $3, $4, $5, $6, $7)`, arguments...)
	if err == nil {
		held = make([]bool, n)
		for i := range held {
			held[i] = true
		}
		return held, nil
	}
	if refused, ok := errors.AsType[*pgconn.PgError](err); !ok || refused.Code != checkViolation {
		return nil, err
	}
	err = b.pool.QueryRow(ctx, `SELECT place_all($1, $2, $3, $4, $5, $6, $7)`, arguments...).Scan(&held)
	return held, err
}
