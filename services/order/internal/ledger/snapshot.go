package ledger

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/services/internal/money"
)

// state is a ledger as it is written down: this as JSON, its length before it,
// and behind it the large tables of the campaigns, in their order.
type state struct {
	Rules     uint16          `json:"rules"`
	Now       int64           `json:"now,omitempty"`
	Last      Position        `json:"last"`
	Digest    uint64          `json:"digest,string"`
	Campaigns []campaignState `json:"campaigns"` // by uid
	Retired   []retiredState  `json:"retired"`   // by uid
}

type campaignState struct {
	UID        string                 `json:"uid"`
	BrandID    string                 `json:"brand,omitempty"`
	Newest     []byte                 `json:"newest,omitempty"`
	Terms      []termsState           `json:"terms,omitempty"`
	Unanswered [][]byte               `json:"unanswered,omitempty"`
	Answers    map[int64]bool         `json:"answers,omitempty"` // encoding/json sorts the keys
	Given      int64                  `json:"given,omitempty"`
	TopUps     int64                  `json:"topUps,omitempty"`
	Allocation []byte                 `json:"allocation,omitempty"`
	Stock      []stockState           `json:"stock"` // by item
	Carts      []cartState            `json:"carts,omitempty"`
	PaidBy     map[fingerprint]string `json:"paidBy,omitempty"`
	Returned   []string               `json:"returned,omitempty"`
	Phase      phase                  `json:"phase"`
	OpenedAt   time.Time              `json:"openedAt,omitzero"`
	ClosedAt   time.Time              `json:"closedAt,omitzero"`
	// How many of each follow in the tables.
	Accounts int          `json:"accounts,omitempty"`
	Orders   int          `json:"orders,omitempty"`
	Queues   []queueState `json:"queues,omitempty"` // by hold time
}

type termsState struct {
	Since  int64      `json:"since"`
	Head   []byte     `json:"head"`
	Offers [][3]int64 `json:"offers"`
}

type stockState struct {
	SKU   string `json:"sku"`
	Units int64  `json:"units"`
	Held  int64  `json:"held"`
	Sold  int64  `json:"sold"`
}

type cartState struct {
	Order   fingerprint `json:"order,string"`
	ID      string      `json:"id,omitempty"`
	Lines   [][2]int64  `json:"lines"` // item, units
	Dropped []dropState `json:"dropped,omitempty"`
}

type dropState struct {
	SKU    string `json:"sku"`
	Units  int64  `json:"units"`
	Reason string `json:"reason"`
	Left   int64  `json:"left,omitempty"`
}

type queueState struct {
	Millis int64 `json:"millis"`
	Holds  int   `json:"holds"`
}

type retiredState struct {
	UID      string `json:"uid"`
	BrandID  string `json:"brand"`
	Status   []byte `json:"status"`
	Answered int64  `json:"answered,omitempty"`
	TopUps   int64  `json:"topUps,omitempty"`
}

// The tables are rows of fixed width in little endian:
//
//	account  buyer 8, units 4, held 4, spoilt 4
//	order    id 8, code in the highest 4 bits and offset in the lowest 36: 8
//	hold     id 16, account 8, offset 8, deadline 8, item 4, units 4
const (
	accountBytes = 20
	orderBytes   = 16
	holdBytes    = 48
	codeShift    = 60
)

// Encode writes the ledger down: the same state gives the same bytes.
func (l *Ledger) Encode() ([]byte, error) {
	s := state{Rules: l.rules, Now: l.now, Last: l.last, Digest: l.digest}
	var errs []error
	message := func(m proto.Message) []byte {
		raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
		errs = append(errs, err)
		return raw
	}
	var tables []byte
	for _, uid := range l.uids {
		c := l.campaigns[uid]
		s.Campaigns = append(s.Campaigns, c.encode(message))
		tables = c.appendTables(tables)
	}
	for _, uid := range slices.Sorted(maps.Keys(l.retired)) {
		r := l.retired[uid]
		s.Retired = append(s.Retired, retiredState{
			UID: uid, BrandID: r.brandID, Status: message(r.status), Answered: r.answered, TopUps: r.topUps,
		})
	}
	head, err := json.Marshal(s)
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, fmt.Errorf("encode the ledger: %w", err)
	}
	raw := make([]byte, 0, 8+len(head)+len(tables))
	raw = binary.LittleEndian.AppendUint64(raw, uint64(len(head)))
	return append(append(raw, head...), tables...), nil
}

func (c *campaign) encode(message func(proto.Message) []byte) campaignState {
	s := campaignState{
		UID: c.uid, BrandID: c.brandID, Answers: c.answers, Given: c.given, TopUps: c.topUps,
		Phase: c.phase, OpenedAt: c.openedAt, ClosedAt: c.closedAt,
		Newest: optional(c.newest, message), Allocation: optional(c.allocation, message),
		PaidBy: c.paidBy, Returned: slices.Sorted(maps.Keys(c.returned)),
		Accounts: len(c.accounts), Orders: c.orders.len,
	}
	for _, t := range c.terms {
		ts := termsState{Since: t.since, Head: message(t.head)}
		for _, o := range t.offers {
			ts.Offers = append(ts.Offers, [3]int64{int64(o.price), int64(o.settlement), o.units})
		}
		s.Terms = append(s.Terms, ts)
	}
	for _, d := range c.unanswered {
		s.Unanswered = append(s.Unanswered, message(d))
	}
	for i, st := range c.shelf.stock {
		s.Stock = append(s.Stock, stockState{SKU: c.shelf.sku(item(i)), Units: st.units, Held: st.held, Sold: st.sold})
	}
	for _, p := range slices.Sorted(maps.Keys(c.carts)) {
		s.Carts = append(s.Carts, c.carts[p].encode(p))
	}
	for _, q := range c.holds.sorted() {
		s.Queues = append(s.Queues, queueState{Millis: q.millis, Holds: q.open})
	}
	return s
}

func (b cart) encode(order fingerprint) cartState {
	s := cartState{Order: order, ID: b.id}
	for _, one := range b.lines {
		s.Lines = append(s.Lines, [2]int64{int64(one.item), one.units})
	}
	for _, d := range b.dropped {
		s.Dropped = append(s.Dropped, dropState{SKU: d.sku, Units: d.units, Reason: d.reason, Left: d.left})
	}
	return s
}

// optional writes nil as nothing; T is a pointer to a message.
func optional[M any, T interface {
	*M
	proto.Message
}](m T, message func(proto.Message) []byte) []byte {
	if m == nil {
		return nil
	}
	return message(m)
}

// appendTables writes accounts, orders and holds.
func (c *campaign) appendTables(raw []byte) []byte {
	le := binary.LittleEndian
	for _, p := range slices.Sorted(maps.Keys(c.accounts)) {
		a := remembered(c.accounts[p])
		raw = le.AppendUint32(le.AppendUint32(le.AppendUint64(raw, uint64(p)), a.units), a.held)
		raw = le.AppendUint32(raw, uint32(a.spoilt))
	}
	raw = slices.Grow(raw, c.orders.len*orderBytes+c.holds.open*holdBytes)
	c.orders.each(func(p fingerprint, state code, w where) {
		if state == isHeld {
			w = 0 // the hold says where
		}
		raw = le.AppendUint64(le.AppendUint64(raw, uint64(p)), uint64(state)<<codeShift|uint64(w))
	})
	for _, q := range c.holds.sorted() {
		q.each(func(h hold) {
			raw = le.AppendUint64(append(raw, h.order[:]...), uint64(h.account))
			raw = le.AppendUint64(le.AppendUint64(raw, uint64(h.offset)), uint64(h.deadline))
			raw = le.AppendUint32(le.AppendUint32(raw, h.item), h.units)
		})
	}
	return raw
}

// Decode reads what Encode wrote.
func Decode(raw []byte) (*Ledger, error) {
	if len(raw) < 8 || binary.LittleEndian.Uint64(raw) > uint64(len(raw)-8) {
		return nil, errors.New("decode the ledger: it is cut off")
	}
	head, tables := raw[8:8+binary.LittleEndian.Uint64(raw)], raw[8+binary.LittleEndian.Uint64(raw):]
	var s state
	if err := json.Unmarshal(head, &s); err != nil {
		return nil, fmt.Errorf("decode the ledger: %w", err)
	}
	if s.Rules < FirstRules || s.Rules > Rules {
		return nil, fmt.Errorf("decode the ledger: %w: %d", ErrUnknownRules, s.Rules)
	}
	l := New()
	l.rules, l.now, l.last, l.digest = s.Rules, s.Now, s.Last, s.Digest
	for _, cs := range s.Campaigns {
		c, err := cs.decode()
		if err == nil {
			tables, err = c.readTables(tables, cs)
		}
		if err != nil {
			return nil, fmt.Errorf("decode campaign %s: %w", cs.UID, err)
		}
		l.campaigns[c.uid] = c
		l.uids = append(l.uids, c.uid)
	}
	if len(tables) > 0 {
		return nil, errors.New("decode the ledger: there is more than it says")
	}
	for _, r := range s.Retired {
		status := &campaignv1.Status{}
		if err := proto.Unmarshal(r.Status, status); err != nil {
			return nil, fmt.Errorf("decode retired campaign %s: %w", r.UID, err)
		}
		l.retired[r.UID] = &retired{brandID: r.BrandID, status: status, answered: r.Answered, topUps: r.TopUps}
	}
	return l, nil
}

func (s campaignState) decode() (*campaign, error) {
	c := newCampaign(s.UID)
	c.brandID, c.given, c.topUps = s.BrandID, s.Given, s.TopUps
	c.phase, c.openedAt, c.closedAt = s.Phase, s.OpenedAt, s.ClosedAt
	var errs []error
	read := func(raw []byte) *campaignv1.Desired {
		if raw == nil {
			return nil
		}
		d := &campaignv1.Desired{}
		errs = append(errs, proto.Unmarshal(raw, d))
		return d
	}
	c.newest = read(s.Newest)
	for _, ts := range s.Terms {
		t := &terms{since: ts.Since, head: read(ts.Head)}
		for _, o := range ts.Offers {
			t.offers = append(t.offers, offer{price: money.Fen(o[0]), settlement: money.Fen(o[1]), units: o[2]})
		}
		c.terms = append(c.terms, t)
	}
	for _, raw := range s.Unanswered {
		c.unanswered = append(c.unanswered, read(raw))
	}
	if s.Allocation != nil {
		c.allocation = &campaignv1.Allocation{}
		errs = append(errs, proto.Unmarshal(s.Allocation, c.allocation))
	}
	maps.Copy(c.answers, s.Answers)
	maps.Copy(c.paidBy, s.PaidBy)
	for _, id := range s.Returned {
		c.returned[id] = struct{}{}
	}
	skus := make([]string, 0, len(s.Stock))
	for _, st := range s.Stock {
		skus = append(skus, st.SKU)
	}
	c.shelf.add(skus)
	for i, st := range s.Stock {
		c.shelf.stock[i] = stock{units: st.Units, held: st.Held, sold: st.Sold}
	}
	for _, b := range s.Carts {
		c.carts[b.Order] = b.decode()
	}
	return c, errors.Join(errs...)
}

func (s cartState) decode() cart {
	b := cart{id: s.ID}
	for _, one := range s.Lines {
		b.lines = append(b.lines, line{item: item(one[0]), units: one[1]})
	}
	for _, d := range s.Dropped {
		b.dropped = append(b.dropped, drop{sku: d.SKU, units: d.Units, reason: d.Reason, left: d.Left})
	}
	return b
}

// readTables reads what appendTables wrote and returns what is left.
func (c *campaign) readTables(raw []byte, s campaignState) ([]byte, error) {
	le := binary.LittleEndian
	need := s.Accounts*accountBytes + s.Orders*orderBytes
	for _, q := range s.Queues {
		need += q.Holds * holdBytes
	}
	if s.Accounts < 0 || s.Orders < 0 || need < 0 || need > len(raw) {
		return nil, fmt.Errorf("its tables have %d bytes, not %d", len(raw), need)
	}
	for range s.Accounts {
		c.accounts[fingerprint(le.Uint64(raw))] = account{units: le.Uint32(raw[8:]), held: le.Uint32(raw[12:]), spoilt: uint8(le.Uint32(raw[16:]))}
		raw = raw[accountBytes:]
	}
	c.orders.reserve(s.Orders)
	held := 0
	for range s.Orders {
		state := code(le.Uint64(raw[8:]) >> codeShift)
		if state.state() == "" {
			return nil, fmt.Errorf("an order has the unknown state %d", state)
		}
		if state == isHeld {
			held++
		}
		c.orders.set(fingerprint(le.Uint64(raw)), state, where(le.Uint64(raw[8:])&whereMask))
		raw = raw[orderBytes:]
	}
	for _, q := range s.Queues {
		for range q.Holds {
			if err := c.readHold(raw, q.Millis); err != nil {
				return nil, err
			}
			raw = raw[holdBytes:]
		}
	}
	if c.holds.open != held {
		return nil, fmt.Errorf("%d orders hold stock, and there are %d holds", held, c.holds.open)
	}
	return raw, nil
}

func (c *campaign) readHold(raw []byte, millis int64) error {
	le := binary.LittleEndian
	h := hold{
		order: key(raw[:16]), account: fingerprint(le.Uint64(raw[16:])), offset: int64(le.Uint64(raw[24:])),
		item: le.Uint32(raw[40:]), units: le.Uint32(raw[44:]),
	}
	if state, _, _ := c.orders.get(h.order.print()); state != isHeld {
		return fmt.Errorf("a hold at offset %d is of an order that holds nothing", h.offset)
	}
	w, _ := c.holds.add(int64(le.Uint64(raw[32:]))-millis, millis, h)
	c.orders.set(h.order.print(), isHeld, w)
	return nil
}
