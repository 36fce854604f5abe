// Package reconcile compares the provider's bill of a day with the payment
// journal. Both count by the provider's clock, so that each payment and each
// refund stands in both on the same day; whatever does not is a difference, and
// the differences together explain every fen by which the two sides are apart.
package reconcile

import (
	"cmp"
	"slices"
	"strings"
	"time"

	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/order/internal/payment"
)

// The kinds of difference.
const (
	MissingHere   = "missing_here"   // the bill has it, the journal does not
	MissingThere  = "missing_there"  // the journal has it, the bill does not
	AmountDiffers = "amount_differs" // both have it, not with the same fen
	StateDiffers  = "state_differs"  // one says that a refund was made, the other not
	Doubled       = "doubled"        // the bill has it twice
	OtherDay      = "other_day"      // the journal has it on another day
)

// Kinds are all kinds of differences, in the order in which a report has them.
func Kinds() []string {
	return []string{MissingHere, MissingThere, AmountDiffers, StateDiffers, Doubled, OtherDay}
}

// The entries of a bill.
const (
	entryPayment = "payment"
	entryRefund  = "refund"
)

const (
	// maxListed is how many differences of a kind are listed; all are counted.
	maxListed = 200
	// maxStrange is how many rows that the journal does not have are remembered, about 20 MB. Beyond it one
	// that the bill has twice is missing here twice: the fen are explained all the same.
	maxStrange = 100_000
)

// feePrefix begins the numbers of membership fees, which store-owner takes
// through the same merchant and answers for in its own book.
const feePrefix = "mem_"

// State is what the bill says of a row.
type State string

// The states. A bill is written once, in the morning after its day.
const (
	Done     State = "done"
	UnderWay State = "under_way"
	Failed   State = "failed"
)

// Row is one payment or refund of the bill.
type Row struct {
	// Number is the out_trade_no of a payment and the out_refund_no of a refund.
	Number string
	// OutTradeNo is that of the payment, in both.
	OutTradeNo    string
	TransactionID string
	Refund        bool
	Fen           int64
	State         State
	// Word is the state as the provider writes it.
	Word string
}

// key tells payments and refunds apart: of one order's payments there may be two,
// and only their transactions differ.
type key struct {
	refund              bool
	number, transaction string
}

func (r Row) key() key {
	if r.Refund {
		return key{refund: true, number: r.Number}
	}
	return key{number: r.Number, transaction: r.TransactionID}
}

func keyOf(m payment.Movement) key {
	if m.Refund {
		return key{refund: true, number: m.Number}
	}
	return key{number: m.Number, transaction: m.TransactionID}
}

// entry is what the journal has, and whether the bill has it too.
type entry struct {
	payment.Movement
	seen bool
}

// Day compares one day.
type Day struct {
	from, to                     time.Time
	ours                         map[key]*entry
	strange                      map[key]bool // the first rows that the journal does not have
	provider, journal, elsewhere *orderv1.BillSide
	report                       *orderv1.BillReconciled
	unheard                      []Row
	counts                       map[string]*orderv1.BillDifferenceCount
}

// Window is how far around a day the journal's movements are wanted, so that one
// on the wrong day is told from one that is missing.
const Window = 24 * time.Hour

// NewDay begins with what the journal has of the day [from, to) and of the Window
// around it.
func NewDay(date string, from, to time.Time, ours []payment.Movement) *Day {
	d := &Day{
		from: from, to: to, ours: make(map[key]*entry, len(ours)), strange: map[key]bool{},
		provider: &orderv1.BillSide{}, journal: &orderv1.BillSide{}, elsewhere: &orderv1.BillSide{},
		counts: map[string]*orderv1.BillDifferenceCount{},
	}
	d.report = &orderv1.BillReconciled{Date: date, Provider: d.provider, Journal: d.journal, Elsewhere: d.elsewhere}
	for _, m := range ours {
		d.ours[keyOf(m)] = &entry{Movement: m}
		if d.today(m) {
			count(d.journal, m.Refund, m.Fen)
		}
	}
	return d
}

func (d *Day) today(m payment.Movement) bool { return !m.At.Before(d.from) && m.At.Before(d.to) }

// Row takes one row of the bill in.
func (d *Day) Row(r Row) {
	if strings.HasPrefix(r.OutTradeNo, feePrefix) {
		count(d.elsewhere, r.Refund, r.Fen)
		return
	}
	count(d.provider, r.Refund, r.Fen)
	ours, known := d.ours[r.key()]
	switch {
	case !known && d.strange[r.key()], known && ours.seen:
		d.differs(Doubled, r, nil)
	case !known:
		if len(d.strange) < maxStrange {
			d.strange[r.key()] = true
		}
		d.ask(r)
		d.differs(MissingHere, r, nil)
	case !d.today(ours.Movement):
		ours.seen = true
		d.differs(OtherDay, r, nil)
	default:
		ours.seen = true
		d.compare(r, ours.Movement)
	}
}

// compare compares what both sides have. A row may differ in both ways; the fen
// are explained once.
func (d *Day) compare(r Row, m payment.Movement) {
	if r.Fen != m.Fen {
		d.differs(AmountDiffers, r, &m)
	}
	if !d.agree(r, m) {
		if m.State == payment.MovementUnderWay {
			d.ask(r)
		}
		r.Fen = m.Fen
		d.differs(StateDiffers, r, &m)
	}
}

// agree reports whether both may be right about a row's state. The bill is of the
// morning after: what was made by the end of the day must be made there, and what
// is made there must be made here.
func (d *Day) agree(r Row, m payment.Movement) bool {
	if !m.Refund {
		return r.State == Done
	}
	madeHere := m.State == payment.MovementMade
	switch r.State {
	case Done:
		return madeHere
	case UnderWay:
		return !madeHere || !m.SettledAt.Before(d.to)
	default:
		return m.State != payment.MovementUnderWay && (!madeHere || !m.SettledAt.Before(d.to))
	}
}

// ask notes that the provider may know more of a row than the journal has heard.
func (d *Day) ask(r Row) {
	if len(d.unheard) < maxListed {
		d.unheard = append(d.unheard, r)
	}
}

// Unheard returns the first rows of which the journal may only not have heard yet:
// a notice was lost, or a refund went on after it was last asked about. Who asks
// the provider about them and compares again finds what differs for good.
func (d *Day) Unheard() []Row { return d.unheard }

// Report ends the comparison: what the bill did not name is missing there.
func (d *Day) Report() *orderv1.BillReconciled {
	var unseen []payment.Movement
	for _, e := range d.ours {
		if !e.seen && d.today(e.Movement) {
			unseen = append(unseen, e.Movement)
		}
	}
	slices.SortFunc(unseen, func(a, b payment.Movement) int {
		return cmp.Or(cmp.Compare(a.Number, b.Number), cmp.Compare(a.TransactionID, b.TransactionID))
	})
	for _, m := range unseen {
		d.differs(MissingThere, Row{Number: m.Number, TransactionID: m.TransactionID, Refund: m.Refund}, &m)
	}
	for _, kind := range Kinds() {
		if c := d.counts[kind]; c != nil {
			d.report.Counts = append(d.report.Counts, c)
		}
	}
	return d.report
}

// differs takes a difference down. The journal's side is nil where it has nothing
// that the row could be compared with.
func (d *Day) differs(kind string, r Row, m *payment.Movement) {
	c := d.counts[kind]
	if c == nil {
		c = &orderv1.BillDifferenceCount{Kind: kind}
		d.counts[kind] = c
	}
	difference := &orderv1.BillDifference{
		Kind: kind, Entry: entryPayment, Number: r.Number, TransactionId: r.TransactionID,
		ProviderFen: r.Fen, ProviderState: r.Word,
	}
	if r.Refund {
		difference.Entry = entryRefund
	}
	if m != nil {
		difference.OrderRef, difference.JournalFen, difference.JournalState = m.OrderID, m.Fen, string(m.State)
	}
	c.Count++
	c.Fen += signed(r.Refund, r.Fen-difference.GetJournalFen())
	if c.GetCount() <= maxListed {
		d.report.Differences = append(d.report.Differences, difference)
	}
}

// signed is what an amount does to the balance at the provider.
func signed(refund bool, fen int64) int64 {
	if refund {
		return -fen
	}
	return fen
}

func count(side *orderv1.BillSide, refund bool, fen int64) {
	if refund {
		side.Refunds++
		side.RefundedFen += fen
		return
	}
	side.Payments++
	side.PaidFen += fen
}

// Unexplained is by how many fen the two sides are apart and no difference says
// why. It is zero, or the comparison is wrong.
func Unexplained(b *orderv1.BillReconciled) int64 {
	apart := net(b.GetProvider()) - net(b.GetJournal())
	for _, c := range b.GetCounts() {
		apart -= c.GetFen()
	}
	return apart
}

func net(s *orderv1.BillSide) int64 { return s.GetPaidFen() - s.GetRefundedFen() }
