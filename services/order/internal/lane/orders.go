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
	if err == nil && !found { // its campaign left the lane in this moment
		o = ledger.Gone(p)
	}
	return o, err
}

// order returns an order as it stands when everything that the log held at the
// time of the call is applied here.
func (l *Lane) order(ctx context.Context, id string) (ledger.Order, error) {
	if err := l.View(ctx, ignore); err != nil {
		return ledger.Order{}, err
	}
	uid := ""
	l.Peek(func(state *ledger.Ledger) { uid, _, _ = state.Search(id) })
	o, found, err := l.particulars(ctx, uid, id)
	if err == nil && !found {
		err = ErrUnknownOrder
	}
	return o, err
}

// particulars returns an order as it stands here now: the ledger knows where, and
// the log what was asked for.
func (l *Lane) particulars(ctx context.Context, uid, id string) (o ledger.Order, found bool, err error) {
	var at ledger.Standing
	l.Peek(func(state *ledger.Ledger) { at, found = state.Find(uid, id) })
	if !found {
		return o, false, nil
	}
	asked, err := l.asked(ctx, at.Offset)
	if err != nil {
		return o, false, err
	}
	l.Peek(func(state *ledger.Ledger) { o, found = state.Order(asked) })
	return o, found, nil
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

// pay tells the lane that money came, with what its order held.
func (l *Lane) pay(ctx context.Context, p *record.Pay) error {
	o, found, err := l.particulars(ctx, p.CampaignUID, p.OrderID)
	if err == nil && !found { // another replica may have placed it a moment ago
		if err = l.View(ctx, ignore); err == nil {
			o, found, err = l.particulars(ctx, p.CampaignUID, p.OrderID)
		}
	}
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
