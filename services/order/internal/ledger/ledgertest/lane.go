// Package ledgertest has what a lane has beside its ledger, without a log: tests
// place, pay and look at orders with it.
package ledgertest

import (
	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
)

// Lane is a ledger and the entries that asked for orders. It is not safe for
// concurrent use.
type Lane struct {
	*ledger.Ledger
	asked map[int64]*record.Place
	next  int64
}

// New returns the lane of an empty log.
func New() *Lane { return Over(ledger.New(), nil) }

// Over returns a lane with another ledger and the log of an earlier one, which may be nil.
func Over(l *ledger.Ledger, earlier *Lane) *Lane {
	lane := &Lane{Ledger: l, asked: map[int64]*record.Place{}}
	if earlier != nil {
		lane.asked, lane.next = earlier.asked, earlier.next
	}
	return lane
}

// Take applies a command at the next offset.
func (l *Lane) Take(c record.Command) ([]ledger.Event, error) {
	return l.Apply(l.next, record.Entry{Rules: l.ActiveRules(), Command: c})
}

// Apply is the ledger's, with payments filled in as a lane does it.
func (l *Lane) Apply(offset int64, e record.Entry) ([]ledger.Event, error) {
	l.next = max(l.next, offset+1)
	if c, ok := e.Command.(*record.Place); ok {
		l.asked[offset] = c
	}
	return l.Ledger.Apply(offset, l.Filled(e))
}

// Filled is an entry with what its payment has to carry.
func (l *Lane) Filled(e record.Entry) record.Entry {
	if c, ok := e.Command.(*record.Pay); ok {
		e.Command = l.filled(c)
	}
	return e
}

func (l *Lane) filled(p *record.Pay) *record.Pay {
	told := *p
	if o, ok := l.Order(p.OrderID); ok && o.State != ledger.Refused {
		told.BuyerID, told.OwnerID, told.AddressID = o.BuyerID, o.OwnerID, o.AddressID
		for _, line := range o.Lines {
			told.Lines = append(told.Lines, record.Units{SKU: line.SKU, Units: line.Units})
		}
	}
	return &told
}

// Order returns an order as it stands.
func (l *Lane) Order(id string) (ledger.Order, bool) {
	_, at, ok := l.Search(id)
	if !ok {
		return ledger.Order{}, false
	}
	return l.Ledger.Order(l.asked[at.Offset])
}
