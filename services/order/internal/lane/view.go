package lane

import (
	"context"
	"sync"

	"github.com/qingcang/qingcang/services/order/internal/ledger"
)

// Peek shows the ledger as it is applied here now. It holds the lane up: be
// short, and keep nothing that changes.
func (l *Lane) Peek(show func(*ledger.Ledger)) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	show(l.ledger)
}

// showAt shows the ledger once everything before the offset is applied.
func (l *Lane) showAt(ctx context.Context, offset int64, show func(*ledger.Ledger)) error {
	for {
		l.mu.RLock()
		if l.next >= offset && l.goal >= 0 {
			show(l.ledger)
			l.mu.RUnlock()
			return nil
		}
		stopped, changed := l.stopped, l.changed
		l.mu.RUnlock()
		if stopped != nil {
			return errStopped.Wrap(stopped)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return errTimeout.Wrap(ctx.Err())
		}
	}
}

// View shows the ledger after this replica has applied all that the log held
// when View was called: it reads everybody's writes.
func (l *Lane) View(ctx context.Context, show func(*ledger.Ledger)) error {
	end, err := l.ends.ask(ctx, func(ctx context.Context) (int64, error) {
		return l.conn.EndOffset(ctx, l.topic, l.partition)
	})
	if err != nil {
		return errLog.Wrap(err)
	}
	return l.showAt(ctx, end, show)
}

// Ask is who would like to order.
type Ask struct{ CampaignUID, OrderID, BuyerID string }

// Refusal says why the lane would refuse any order of the buyer, whatever is in it,
// or nothing: then the order goes into the lane. A refusal counts though no entry
// says so, because everything that the log held when it was asked for is applied:
// at is the offset behind that. An order id that is known is not refused here.
func (l *Lane) Refusal(ctx context.Context, ask Ask) (reason string, at int64, err error) {
	look := func(state *ledger.Ledger) {
		reason = state.Refuses(ask.CampaignUID, ask.BuyerID)
		if _, known := state.Find(ask.CampaignUID, ask.OrderID); known {
			reason = ""
		}
	}
	if l.Peek(look); reason == "" {
		return "", 0, nil
	}
	err = l.View(ctx, func(state *ledger.Ledger) { look(state); at = l.next })
	return reason, at, err
}

// ends lets all that wait share one question for the end of the log. Who comes
// while one is under way shares the next: the answer of that one may be older
// than he is.
type ends struct {
	mu      sync.Mutex
	running bool
	next    *question
}

type question struct {
	done chan struct{}
	end  int64
	err  error
}

func (e *ends) ask(ctx context.Context, look func(context.Context) (int64, error)) (int64, error) {
	e.mu.Lock()
	if e.next == nil {
		e.next = &question{done: make(chan struct{})}
	}
	q := e.next
	if !e.running {
		e.running = true
		go e.run(context.WithoutCancel(ctx), look) // eventkit bounds the request
	}
	e.mu.Unlock()
	select {
	case <-q.done:
		return q.end, q.err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func (e *ends) run(ctx context.Context, look func(context.Context) (int64, error)) {
	for {
		e.mu.Lock()
		q := e.next
		e.next = nil
		if q == nil {
			e.running = false
			e.mu.Unlock()
			return
		}
		e.mu.Unlock()
		q.end, q.err = look(ctx)
		close(q.done)
	}
}
