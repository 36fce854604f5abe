// Package recount counts a whole run again from what is durable: the lanes' logs, what the lanes
// published, and the journals. It is independent on purpose: it shares the message definitions and the
// layout of a lane's records with the services and none of their code, and it models stock and money
// in the simplest way there is.
package recount

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"
)

// Log is everything that a run left behind.
type Log struct {
	// Lanes by source, "<topic>/<partition>".
	Lanes map[string]Lane
	// Journals by the database that holds them.
	Journals map[string]Journal
}

// Lane is a partition's entries and what was published about them, both in order.
type Lane struct {
	Entries   []Entry
	Decisions []Decision
}

// Entry is one record of a lane.
type Entry struct {
	Offset int64
	// Command is nil for a record that means nothing, else one of those of lanelog.
	Command any
}

// Decision is what a lane published about the entry at an offset.
type Decision struct {
	Offset int64
	Fact   proto.Message
}

// Journal is a service's facts, shard by shard, each shard in order.
type Journal [][]proto.Message

// The databases of the services that post money.
const (
	OrderBook = "order"
	OwnerBook = "store-owner"
	BrandBook = "brand-intake"
)

// Result is what the recount found. All money is fen.
type Result struct {
	OrdersPlaced        int64            `json:"ordersPlaced"`
	OrdersAccepted      int64            `json:"ordersAccepted"`
	LinesAccepted       int64            `json:"linesAccepted"`
	LinesRefused        map[string]int64 `json:"linesRefused"`
	UnitsOffered        int64            `json:"unitsOffered"`
	UnitsSold           int64            `json:"unitsSold"` // gross
	UnitsReturned       int64            `json:"unitsReturned"`
	OversoldUnits       int64            `json:"oversoldUnits"`
	WronglyRefusedLines int64            `json:"wronglyRefusedLines"`
	DuplicateOrders     int64            `json:"duplicateOrders"`
	LedgerSumFen        int64            `json:"ledgerSumFen"`
	MembershipFeeFen    int64            `json:"membershipFeeFen"`
	SalesFen            int64            `json:"salesFen"` // gross
	RefundFen           int64            `json:"refundFen"`
	CommissionFen       int64            `json:"commissionFen"`
	BrandPayableFen     int64            `json:"brandPayableFen"`
	PlatformFen         int64            `json:"platformFen"`
	UnexplainedFen      int64            `json:"unexplainedFen"`

	// Faults say in words what is behind the figures that should be 0, and what no figure shows.
	Faults []string `json:"-"`
}

// Clean reports whether nothing is wrong.
func (r *Result) Clean() bool { return len(r.Faults) == 0 }

// maxFaults bounds how many faults are told; one cause may have thousands of effects.
const maxFaults = 200

// fault notes what is wrong, and adds n to the figure that shows it, if there is one.
func (r *Result) fault(figure *int64, n int64, format string, args ...any) {
	if figure != nil {
		*figure += n
	}
	if len(r.Faults) < maxFaults {
		r.Faults = append(r.Faults, fmt.Sprintf(format, args...))
	}
}

// Count counts. Intentions are, by the id of the order that was accepted for each, what the buyers
// meant: an accepted order that is not among them, or a second one for an intention, is a duplicate.
// Nil leaves that out.
func Count(l Log, intentions map[string]int) *Result {
	r := &Result{LinesRefused: map[string]int64{}}
	sales := newSales(r)
	for _, source := range sorted(l.Lanes) {
		sales.lane(source, l.Lanes[source])
	}
	sales.meant(intentions)
	pool(r, l.Journals[BrandBook], sales)
	books := map[string]book{}
	for _, name := range []string{OrderBook, OwnerBook, BrandBook} {
		books[name] = post(r, name, l.Journals[name])
	}
	money := followMoney(r, l.Journals[OrderBook], sales)
	reconcile(r, books, money)
	return r
}

// sorted returns a map's keys in order, so that faults come in the same order each time.
func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func abs(n int64) int64 { return max(n, -n) }
