package recount

import "context"

// Accepted is an order that a lane accepted, as the lanes left it.
type Accepted struct {
	Campaign    string
	Units       int64
	Holds, Sold bool
}

// ReadSales reads the lanes and the order service's journal alone, where no other service ran.
func ReadSales(ctx context.Context, s Source) (Log, error) {
	l := Log{Lanes: map[string]Lane{}, Journals: map[string]Journal{}}
	if err := s.entries(ctx, l.Lanes); err != nil {
		return l, err
	}
	if err := s.decisions(ctx, l.Lanes); err != nil {
		return l, err
	}
	journal, err := s.journal(ctx, OrderBook, collections[OrderBook])
	l.Journals[OrderBook] = journal
	return l, err
}

// CountSales counts stock, orders and their payments by what ReadSales read, and returns the accepted
// orders by id too. Nobody asks here what the stock pool gave or what the other books say.
func CountSales(l Log) (*Result, map[string]Accepted) {
	r := &Result{LinesRefused: map[string]int64{}}
	sales := newSales(r)
	for _, source := range sorted(l.Lanes) {
		sales.lane(source, l.Lanes[source])
	}
	post(r, OrderBook, l.Journals[OrderBook])
	followMoney(r, l.Journals[OrderBook], sales)
	accepted := make(map[string]Accepted, len(sales.accepted))
	for id, o := range sales.accepted {
		a := Accepted{Campaign: o.campaign, Holds: o.holds, Sold: o.sold}
		for _, units := range o.lines {
			a.Units += units
		}
		accepted[id] = a
	}
	return r, accepted
}
