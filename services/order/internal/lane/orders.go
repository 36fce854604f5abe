package lane

import (
	"context"
	"fmt"

	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
)

// Place asks for an order and returns it as it was decided; one that the same id
// asked for before, as it stands now, with the body of then.
func (l *Lane) Place(ctx context.Context, p *record.Place) (ledger.Order, error) {
	events, err := l.ask(ctx, p, false)
	if err != nil {
		return ledger.Order{}, err
	}
	if o, ok := ledger.Decided(p, events); ok {
		return o, nil
	}
	o, found, err := l.particulars(ctx, p.CampaignUID, p.OrderID)
	if err == nil && !found {
		return l.missing(p)
	}
	return o, err
}

// missing is an order that is not in the ledger though its entry was applied.
func (l *Lane) missing(p *record.Place) (ledger.Order, error) {
	gone := false
	l.Peek(func(state *ledger.Ledger) { gone = state.Retired(p.CampaignUID) })
	if !gone {
		return ledger.Order{}, fmt.Errorf("the entry of order %s means nothing, or is to be skipped", p.OrderID)
	}
	return ledger.Gone(p), nil // its campaign left the lane in this moment
}

// order returns an order as it stands when everything that the log held at the
// time of the call is applied here.
func (l *Lane) order(ctx context.Context, id string) (ledger.Order, error) {
	uid := ""
	if err := l.View(ctx, func(state *ledger.Ledger) { uid, _, _ = state.Search(id) }); err != nil {
		return ledger.Order{}, err
	}
	if uid == "" {
		return ledger.Order{}, ErrUnknownOrder
	}
	o, found, err := l.particulars(ctx, uid, id)
	if err == nil && !found {
		err = ErrUnknownOrder
	}
	return o, err
}

// particulars returns an order as it stands here: the ledger knows where, and the
// log what was asked for. Not found means that the log, as it stood at the call,
// has no such order: the ledger alone may not know, because another replica placed
// the order a moment ago, or because the lane is being built again.
func (l *Lane) particulars(ctx context.Context, uid, id string) (o ledger.Order, found bool, err error) {
	var at ledger.Standing
	find := func(state *ledger.Ledger) { at, found = state.Find(uid, id) }
	if l.Peek(find); !found {
		if err := l.View(ctx, find); err != nil || !found {
			return o, false, err
		}
	}
	asked, err := l.asked(ctx, at.Offset)
	if err != nil {
		return o, false, err
	}
	err = l.showAt(ctx, at.Offset+1, func(state *ledger.Ledger) { o, found = state.Order(asked) })
	return o, found && err == nil, err
}

// asked reads what the entry of an order asked for.
func (l *Lane) asked(ctx context.Context, offset int64) (*record.Place, error) {
	if p, ok := l.recent.get(offset); ok {
		return p, nil
	}
	r, err := l.conn.FetchOne(ctx, l.topic, l.partition, offset)
	if err != nil {
		return nil, errLog.Wrap(err)
	}
	entry, err := record.Decode(r.Value)
	if err != nil {
		return nil, fmt.Errorf("the entry of an order at %d: %w", offset, err)
	}
	p, ok := entry.Command.(*record.Place)
	if !ok {
		return nil, fmt.Errorf("the entry at %d asks for no order", offset)
	}
	return p, nil
}

// pay tells the lane that money came, with what its order held. An order that is not
// found has none, and the money goes back.
func (l *Lane) pay(ctx context.Context, p *record.Pay) error {
	o, found, err := l.particulars(ctx, p.CampaignUID, p.OrderID)
	if err != nil {
		return err
	}
	told := *p
	told.BuyerID, told.OwnerID, told.AddressID, told.Lines = "", "", "", nil
	if found && o.State != ledger.Refused {
		told.BuyerID, told.OwnerID, told.AddressID = o.BuyerID, o.OwnerID, o.AddressID
		for _, line := range o.Lines {
			told.Lines = append(told.Lines, record.Units{SKU: line.SKU, Units: line.Units})
		}
	}
	return l.Do(ctx, &told)
}
