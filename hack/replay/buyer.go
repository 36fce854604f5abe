package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/qingcang/qingcang/hack/internal/actor"
	"github.com/qingcang/qingcang/hack/internal/client/fulfilment"
	"github.com/qingcang/qingcang/hack/internal/client/order"
	"github.com/qingcang/qingcang/hack/internal/poll"
	"github.com/qingcang/qingcang/hack/internal/retail"
)

// customer is a buyer of the file: a CustomerID, or the guest of one invoice.
type customer struct {
	number int
	owner  int           // who brought the customer, −1 for nobody
	tail   chan struct{} // closed when the newest step that was dispatched is done

	login     sync.Once
	loginErr  error
	person    *actor.Person
	addressID string

	mu     sync.Mutex
	bought []*bought // the oldest first
}

// bought is an accepted order.
type bought struct {
	orderID string
	brand   *actor.Brand
	left    map[string]int64 // units by SKU that have not come back
	returns int
	signed  chan struct{} // closed when the parcel is signed for
}

// customer finds who a step is about; a guest is new with each invoice and nobody's.
func (r *replay) customer(s *retail.Step) *customer {
	name := "customer " + s.Customer
	if s.Customer == "" {
		name = "guest of " + s.Invoice
	}
	c, known := r.customers[name]
	if !known {
		first := make(chan struct{})
		close(first)
		c = &customer{number: len(r.customers), owner: -1, tail: first}
		if s.Customer != "" {
			c.owner = retail.OwnerOf(s.Customer, ownerCount)
		}
		r.customers[name] = c
	}
	return c
}

// next queues a step: it begins when before is closed, and closes done.
func (c *customer) next() (before <-chan struct{}, done chan struct{}) {
	before, done = c.tail, make(chan struct{})
	c.tail = done
	return before, done
}

// arrive logs the customer in and leaves the address, once.
func (r *replay) arrive(ctx context.Context, c *customer) error {
	c.login.Do(func() {
		if c.person, c.loginErr = r.cast.LogIn(ctx, fmt.Sprintf("buyer-%06d", c.number)); c.loginErr != nil {
			return
		}
		c.addressID, c.loginErr = c.person.AddAddress(ctx, "replay-address", fulfilment.Address{
			Name: fmt.Sprintf("Buyer %d", c.number), Phone: "13900000000",
			Province: "浙江省", City: "杭州市", District: "西湖区", Street: "文三路 1 号",
		})
	})
	return c.loginErr
}

// order places an order and pays for what was taken. The intention's number makes its keys: asked
// again it is the same order.
func (r *replay) order(ctx context.Context, w *week, c *customer, o *retail.Order, intention int) error {
	defer r.progress.finished()
	if err := r.arrive(ctx, c); err != nil {
		return err
	}
	campaign, uid := w.Campaigns[o.Campaign], w.uids[o.Campaign]
	token, err := r.shareToken(ctx, c.owner, uid, styleOf(campaign.Items[0].SKU))
	if err != nil {
		return err
	}
	request := order.PlaceOrder{ShareToken: token, AddressId: c.addressID, TakeWhatFits: true}
	for _, l := range o.Lines {
		request.Lines = append(request.Lines, order.Line{Sku: l.SKU, Units: l.Units})
	}
	placed, err := r.place(ctx, c.person, uid, fmt.Sprintf("order-%08d", intention), request)
	if refused(err) {
		return nil // the log says why
	}
	if err != nil {
		return err
	}
	r.tally.accepted(placed.OrderId, intention)
	b := &bought{orderID: placed.OrderId, brand: r.warehouses[campaign.Brand].brand, left: map[string]int64{}, signed: make(chan struct{})}
	for _, l := range placed.Lines {
		b.left[l.Sku] = l.Units
	}
	c.mu.Lock()
	c.bought = append(c.bought, b)
	c.mu.Unlock()
	r.warehouses[campaign.Brand].expect(b)
	payment, err := c.person.Pay(ctx, fmt.Sprintf("payment-%08d", intention), placed.OrderId)
	if err != nil {
		return fmt.Errorf("order %s: %w", placed.OrderId, err)
	}
	if err := r.cast.Confirm(ctx, payment.Payment.PrepayId, false); err != nil {
		return fmt.Errorf("order %s: %w", placed.OrderId, err)
	}
	r.progress.accepted()
	return nil
}

// place repeats an order while the replica that it reaches has not heard of the campaign.
func (r *replay) place(ctx context.Context, p *actor.Person, campaignUID, key string, request order.PlaceOrder) (placed *order.Order, err error) {
	var refusal error
	err = poll.Until(ctx, func(ctx context.Context) error {
		placed, refusal = p.Place(ctx, campaignUID, key, request)
		if isProblem(refusal, "unknown_campaign") {
			return refusal
		}
		return nil
	})
	return placed, errors.Join(err, refusal)
}

// refused reports whether the lane took nothing of an order.
func refused(err error) bool {
	var problem *actor.Problem
	return errors.As(err, &problem) && problem.Status == http.StatusConflict &&
		slices.Contains([]string{"sold_out", "not_offered", "over_limit", "closed", "not_open", "suspended"}, problem.Code)
}

func isProblem(err error, code string) bool {
	var problem *actor.Problem
	return errors.As(err, &problem) && problem.Code == code
}

// maxReturns is how many returns fulfilment takes of one order.
const maxReturns = 20

// sendBack returns rows of a C invoice, each from the customer's newest orders and whole or not at
// all.
func (r *replay) sendBack(ctx context.Context, c *customer, s *retail.Step) error {
	lines := map[*bought][]fulfilment.Line{}
	for _, row := range s.Returns {
		found := c.find(row)
		if found == nil {
			r.tally.refuse("nothing_to_return", 1)
		}
		for b, units := range found {
			b.left[row.SKU] -= units
			lines[b] = append(lines[b], fulfilment.Line{Sku: row.SKU, Units: units})
		}
	}
	for b, back := range lines {
		if err := r.returnFrom(ctx, c, b, back); err != nil {
			return fmt.Errorf("return from order %s: %w", b.orderID, err)
		}
	}
	return nil
}

// find takes a row's units from the newest orders that have them; nil when they are not there.
func (c *customer) find(row retail.Line) map[*bought]int64 {
	found, missing := map[*bought]int64{}, row.Units
	for _, b := range slices.Backward(c.bought) {
		if n := min(missing, b.left[row.SKU]); n > 0 && b.returns < maxReturns {
			found[b], missing = n, missing-n
		}
	}
	if missing > 0 {
		return nil
	}
	return found
}

func (r *replay) returnFrom(ctx context.Context, c *customer, b *bought, lines []fulfilment.Line) error {
	b.returns++
	select {
	case <-b.signed:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	back, err := c.person.Return(ctx, fmt.Sprintf("return-%d", b.returns), b.orderID, lines)
	if err != nil {
		return err
	}
	return b.brand.ReceiveReturn(ctx, back.ReturnId)
}

// shares are the links that owners took, one for each campaign.
type shares struct{ taken sync.Map } // of "<owner>/<campaign uid>" to *share

type share struct {
	once  sync.Once
	token string
	err   error
}

// shareToken is the owner's link to the campaign; nobody has none.
func (r *replay) shareToken(ctx context.Context, owner int, uid, style string) (string, error) {
	if owner < 0 {
		return "", nil
	}
	found, _ := r.shares.taken.LoadOrStore(fmt.Sprintf("%d/%s", owner, uid), &share{})
	s := found.(*share) //nolint:forcetypeassert // nothing else is stored
	s.once.Do(func() {
		// The store-owner service may not have heard of the campaign yet.
		s.err = poll.Within(ctx, time.Minute, func(ctx context.Context) error {
			link, err := r.owners[owner].Share(ctx, "share-"+uid, uid, style)
			if err == nil {
				s.token = link.Token
			}
			return err
		})
	})
	return s.token, s.err
}
