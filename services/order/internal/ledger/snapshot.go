package ledger

import (
	"container/heap"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
)

// state is a ledger as it is written down. What follows from it (buyers' units,
// the heap of deadlines, items by SKU) is not written.
type state struct {
	Rules     int             `json:"rules"`
	Now       time.Time       `json:"now,omitzero"`
	Last      Position        `json:"last"`
	Campaigns []campaignState `json:"campaigns"` // by uid
	Orders    []*Order        `json:"orders"`    // by id
	Retired   []retiredState  `json:"retired"`   // by uid
}

type campaignState struct {
	UID        string         `json:"uid"`
	BrandID    string         `json:"brand,omitempty"`
	Newest     []byte         `json:"newest,omitempty"`
	Good       []byte         `json:"good,omitempty"`
	Unanswered [][]byte       `json:"unanswered,omitempty"`
	Answers    map[int64]bool `json:"answers,omitempty"` // encoding/json sorts the keys
	Given      int64          `json:"given,omitempty"`
	TopUps     int64          `json:"topUps,omitempty"`
	Allocation []byte         `json:"allocation,omitempty"`
	Stock      []stockState   `json:"stock"` // by SKU
	Strays     []string       `json:"strays,omitempty"`
	Phase      phase          `json:"phase"`
	OpenedAt   time.Time      `json:"openedAt,omitzero"`
	ClosedAt   time.Time      `json:"closedAt,omitzero"`
}

type stockState struct {
	SKU   string `json:"sku"`
	Units int64  `json:"units"`
	Held  int64  `json:"held"`
	Sold  int64  `json:"sold"`
}

type retiredState struct {
	UID      string `json:"uid"`
	BrandID  string `json:"brand"`
	Status   []byte `json:"status"`
	Answered int64  `json:"answered,omitempty"`
	TopUps   int64  `json:"topUps,omitempty"`
}

// Encode writes the ledger down: the same state gives the same bytes.
func (l *Ledger) Encode() ([]byte, error) {
	s := state{Rules: Rules, Now: l.now, Last: l.last}
	var errs []error
	message := func(m proto.Message) []byte {
		raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
		errs = append(errs, err)
		return raw
	}
	for _, uid := range l.uids {
		s.Campaigns = append(s.Campaigns, l.campaigns[uid].encode(message))
	}
	for _, id := range slices.Sorted(maps.Keys(l.orders)) {
		s.Orders = append(s.Orders, l.orders[id])
	}
	for _, uid := range slices.Sorted(maps.Keys(l.retired)) {
		r := l.retired[uid]
		s.Retired = append(s.Retired, retiredState{
			UID: uid, BrandID: r.brandID, Status: message(r.status), Answered: r.answered, TopUps: r.topUps,
		})
	}
	raw, err := json.Marshal(s)
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, fmt.Errorf("encode the ledger: %w", err)
	}
	return raw, nil
}

func (c *campaign) encode(message func(proto.Message) []byte) campaignState {
	s := campaignState{
		UID: c.uid, BrandID: c.brandID, Answers: c.answers, Given: c.given, TopUps: c.topUps,
		Phase: c.phase, OpenedAt: c.openedAt, ClosedAt: c.closedAt,
		Strays: slices.Sorted(maps.Keys(c.strays)),
		Newest: optional(c.newest, message), Good: optional(c.good, message), Allocation: optional(c.allocation, message),
	}
	for _, d := range c.unanswered {
		s.Unanswered = append(s.Unanswered, message(d))
	}
	for _, sku := range c.skus() {
		stock := c.stock[sku]
		s.Stock = append(s.Stock, stockState{SKU: sku, Units: stock.units, Held: stock.held, Sold: stock.sold})
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

// Decode reads what Encode wrote.
func Decode(raw []byte) (*Ledger, error) {
	var s state
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, fmt.Errorf("decode the ledger: %w", err)
	}
	if s.Rules != Rules {
		return nil, fmt.Errorf("decode the ledger: %w: %d", ErrUnknownRules, s.Rules)
	}
	l := New()
	l.now, l.last = s.Now, s.Last
	for _, cs := range s.Campaigns {
		c, err := cs.decode()
		if err != nil {
			return nil, fmt.Errorf("decode campaign %s: %w", cs.UID, err)
		}
		l.campaigns[c.uid] = c
		l.uids = append(l.uids, c.uid)
	}
	for _, r := range s.Retired {
		status := &campaignv1.Status{}
		if err := proto.Unmarshal(r.Status, status); err != nil {
			return nil, fmt.Errorf("decode retired campaign %s: %w", r.UID, err)
		}
		l.retired[r.UID] = &retired{brandID: r.BrandID, status: status, answered: r.Answered, topUps: r.TopUps}
	}
	return l, l.takeIn(s.Orders)
}

// takeIn puts the orders in and derives what follows from them.
func (l *Ledger) takeIn(orders []*Order) error {
	for _, o := range orders {
		c, ok := l.campaigns[o.CampaignUID]
		if !ok {
			return fmt.Errorf("decode order %s: its campaign %s is missing", o.ID, o.CampaignUID)
		}
		l.orders[o.ID] = o
		if counts(o.State) {
			c.buyers[o.BuyerID] += o.units()
		}
		switch o.State {
		case Held:
			c.held++
			l.holds = append(l.holds, deadline{deadline: o.Deadline, orderID: o.ID})
		case Confirmed, Expired, Cancelled, Refused:
		default:
			return fmt.Errorf("decode order %s: unknown state %q", o.ID, o.State)
		}
	}
	heap.Init(&l.holds)
	return nil
}

func (s campaignState) decode() (*campaign, error) {
	c := &campaign{
		uid: s.UID, brandID: s.BrandID, items: map[string]*campaignv1.Item{}, answers: map[int64]bool{}, given: s.Given, topUps: s.TopUps,
		stock: map[string]*stock{}, buyers: map[string]int64{}, strays: map[string]struct{}{},
		phase: s.Phase, openedAt: s.OpenedAt, closedAt: s.ClosedAt,
	}
	var errs [4]error
	c.newest, errs[0] = desired(s.Newest)
	c.good, errs[1] = desired(s.Good)
	for _, raw := range s.Unanswered {
		d, err := desired(raw)
		errs[2] = errors.Join(errs[2], err)
		c.unanswered = append(c.unanswered, d)
	}
	if s.Allocation != nil {
		c.allocation = &campaignv1.Allocation{}
		errs[3] = proto.Unmarshal(s.Allocation, c.allocation)
	}
	maps.Copy(c.answers, s.Answers)
	for _, st := range s.Stock {
		c.stock[st.SKU] = &stock{units: st.Units, held: st.Held, sold: st.Sold}
	}
	for _, id := range s.Strays {
		c.strays[id] = struct{}{}
	}
	c.items = itemsOf(c.good)
	return c, errors.Join(errs[:]...)
}

func desired(raw []byte) (*campaignv1.Desired, error) {
	if raw == nil {
		return nil, nil //nolint:nilnil // nothing was written for nothing
	}
	d := &campaignv1.Desired{}
	if err := proto.Unmarshal(raw, d); err != nil {
		return nil, fmt.Errorf("desired state: %w", err)
	}
	return d, nil
}
