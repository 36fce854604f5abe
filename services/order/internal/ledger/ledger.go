// Package ledger decides what a lane's log means: who holds which stock, until
// when, and what became of it. It is a deterministic state machine: the same
// entries give the same state and the same events in every replica and in every
// year. It knows no clock (ledger time is the greatest tick), does no I/O, and
// never lets the order of a map decide.
//
// It keeps no orders, only where each stands in the log and in which state; see
// Order for the particulars.
package ledger

import (
	"errors"
	"fmt"
	"math/bits"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/qingcang/qingcang/proto/lane/record"
)

// FirstRules are those of an empty log.
const FirstRules = 1

var (
	// ErrUnknownRules stops a lane: this binary cannot know what the entry means,
	// and guessing would make two replicas differ.
	ErrUnknownRules = errors.New("the entry counts under rules that this binary does not know")
	// ErrMalformed is an entry that means nothing. Every replica skips it alike.
	ErrMalformed = errors.New("the entry means nothing")
)

// Position is where an event stands: the offset of the entry that caused it and
// its place among the events of that entry.
type Position struct {
	Offset int64
	Index  int
}

// After reports whether p stands behind q.
func (p Position) After(q Position) bool {
	return p.Offset > q.Offset || p.Offset == q.Offset && p.Index > q.Index
}

// None is the position before the first event.
var None = Position{Offset: -1}

// Event is a fact that an entry caused, for order.lane-events.v1.
type Event struct {
	Message proto.Message
	At      Position
	// Prev is the position of the event before it in this lane, None for the first.
	Prev Position
}

// Ledger is the state of one lane. It is not safe for concurrent use.
type Ledger struct {
	rules     uint16 // that count, from the last switch on
	now       int64  // ledger time in milliseconds since 1970; 0 before the first tick
	campaigns map[string]*campaign
	uids      []string            // of campaigns, sorted
	retired   map[string]*retired // by campaign uid: late stock has a way back, late money a reason
	last      Position            // of the newest event
	digest    uint64              // of all events

	events []Event // of the entry that is being applied
	told   int     // how many they are
	silent bool    // nobody wants to see them
	offset int64   // of the entry
}

// New returns the ledger of an empty log.
func New() *Ledger {
	return &Ledger{rules: FirstRules, campaigns: map[string]*campaign{}, retired: map[string]*retired{}, last: None}
}

// Apply takes the next entry and returns what it caused. On ErrMalformed nothing
// has changed and the entry is to be skipped; on ErrUnknownRules the lane must
// stop.
func (l *Ledger) Apply(offset int64, e record.Entry) ([]Event, error) {
	if err := checkRules(e); err != nil {
		return nil, err
	}
	if offset < 0 || offset > whereMask {
		return nil, fmt.Errorf("offset %d: a lane ends before %d", offset, uint64(whereMask))
	}
	l.events, l.told, l.offset = nil, 0, offset
	var err error
	switch c := e.Command.(type) {
	case *record.SwitchRules:
		l.switchTo(c.Rules)
	case *record.Tick:
		l.tick(c)
	case *record.Want:
		err = l.want(c.Desired)
	case *record.Allocate:
		err = l.allocate(c)
	case *record.Place:
		err = l.place(c)
	case *record.Pay:
		err = l.pay(c)
	case *record.Cancel:
		l.cancel(c)
	case *record.Settle:
		l.settle(c)
	default:
		err = fmt.Errorf("%w: no command", ErrMalformed)
	}
	return l.events, err
}

// Replay is Apply for somebody who wants the state alone: the same entries give the
// same state and digest, and no event is made.
func (l *Ledger) Replay(offset int64, e record.Entry) error {
	l.silent = true
	defer func() { l.silent = false }()
	_, err := l.Apply(offset, e)
	return err
}

func checkRules(e record.Entry) error {
	if e.Rules == 0 {
		return fmt.Errorf("%w: no rules number", ErrMalformed)
	}
	if e.Rules > Rules {
		return fmt.Errorf("%w: %d", ErrUnknownRules, e.Rules)
	}
	if to, ok := e.Command.(*record.SwitchRules); ok && to.Rules > Rules {
		return fmt.Errorf("%w: switch to %d", ErrUnknownRules, to.Rules)
	}
	return nil
}

// emit counts an event, and tells it if somebody listens. About and sum are what
// the digest takes of it.
func (l *Ledger) emit(about fingerprint, sum int64, tell func() proto.Message) {
	at := Position{Offset: l.offset, Index: l.told}
	if !l.silent {
		l.events = append(l.events, Event{Message: tell(), At: at, Prev: l.last})
	}
	l.told++
	l.last = at
	for _, x := range [...]uint64{uint64(at.Offset), uint64(at.Index), uint64(about), uint64(sum)} {
		high, low := bits.Mul64(l.digest^x, 0x9e3779b97f4a7c15)
		l.digest = high ^ low ^ x
	}
}

// ActiveRules is the number of the rules under which the next entry counts,
// whatever number its writer knew.
func (l *Ledger) ActiveRules() uint16 { return l.rules }

// Digest is a hash of all decisions since the log began. Two ledgers that have
// applied the same log under the same rules have the same digest, whether they
// began with a snapshot or not.
func (l *Ledger) Digest() uint64 { return l.digest }

// Now returns ledger time; zero before the first tick.
func (l *Ledger) Now() time.Time {
	if l.now == 0 {
		return time.Time{}
	}
	return timeOf(l.now)
}

// Last returns the position of the newest event, None before the first.
func (l *Ledger) Last() Position { return l.last }

// Knows reports whether the lane has heard of the campaign and not retired it.
func (l *Ledger) Knows(uid string) bool {
	_, ok := l.campaigns[uid]
	return ok
}

// Retired reports whether the campaign was settled and left.
func (l *Ledger) Retired(uid string) bool {
	_, ok := l.retired[uid]
	return ok
}

// Generation returns the newest desired generation that came, 0 for none.
func (l *Ledger) Generation(uid string) int64 {
	c, ok := l.campaigns[uid]
	if !ok {
		return 0
	}
	return c.newest.GetGeneration()
}

// Campaigns returns the uids of the campaigns that are not retired, sorted.
func (l *Ledger) Campaigns() []string { return append([]string(nil), l.uids...) }
