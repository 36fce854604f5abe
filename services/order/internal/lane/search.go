package lane

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
)

// searchAtOnce bounds the lanes that are asked at once for an order that none of them is known to have.
const searchAtOnce = 16

// Order returns an order as it stands when all that was in its lane's log at the
// time of the call has been applied here, and its lane. Who runs a single lane cannot say
// what the others do not have.
func (s *Lanes) Order(ctx context.Context, id string) (ledger.Order, *campaignv1.Lane, error) {
	lanes := append(s.own.all(), s.shared...)
	for _, l := range lanes {
		known := false
		l.Peek(func(state *ledger.Ledger) { _, _, known = state.Search(id) })
		if known {
			o, err := l.order(ctx, id)
			return o, l.Name(), err
		}
	}
	o, l, err := searchAll(ctx, lanes, id)
	if errors.Is(err, ErrUnknownOrder) && s.cfg.Only != "" {
		err = errNoLane
	}
	if errors.Is(err, ErrUnknownOrder) && s.own.unsure() {
		err = errStarting
	}
	if err != nil {
		return ledger.Order{}, nil, err
	}
	return o, l.Name(), nil
}

// searchAll reads all lanes up to their ends: another replica may have placed the order a moment ago.
func searchAll(ctx context.Context, lanes []*Lane, id string) (ledger.Order, *Lane, error) {
	orders, errs := make([]ledger.Order, len(lanes)), make([]error, len(lanes))
	var group errgroup.Group
	group.SetLimit(searchAtOnce)
	for i, l := range lanes {
		group.Go(func() error {
			orders[i], errs[i] = l.order(ctx, id)
			return nil
		})
	}
	_ = group.Wait() // the errors are in errs
	err := error(ErrUnknownOrder)
	for i, l := range lanes {
		if errs[i] == nil {
			return orders[i], l, nil
		}
		if !errors.Is(errs[i], ErrUnknownOrder) {
			err = errs[i]
		}
	}
	return ledger.Order{}, nil, err
}
