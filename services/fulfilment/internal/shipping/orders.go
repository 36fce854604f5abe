package shipping

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	fulfilmentv1 "github.com/qingcang/qingcang/proto/gen/fulfilment/v1"
)

// Orders is the state of one shard: its orders, and what finds them.
type Orders struct {
	byID map[string]*Order
	// byShipping and byReturn lead to the order's id.
	byShipping map[string]string
	byReturn   map[string]string
	// open holds, per brand and state, the shipping orders that the warehouse still works on.
	open map[brandState]map[string]*Order
	// signed holds the orders that time alone can still change.
	signed map[string]*Order
}

type brandState struct {
	brand string
	state State
}

// NewOrders returns an empty shard.
func NewOrders() *Orders {
	return &Orders{
		byID: map[string]*Order{}, byShipping: map[string]string{}, byReturn: map[string]string{},
		open: map[brandState]map[string]*Order{}, signed: map[string]*Order{},
	}
}

// Get returns an order; one that is not known has the zero state.
func (s *Orders) Get(id string) *Order {
	if o, ok := s.byID[id]; ok {
		return o
	}
	return &Order{ID: id}
}

// ByShippingOrder finds the order of a shipping order.
func (s *Orders) ByShippingOrder(id string) (orderID string, ok bool) {
	orderID, ok = s.byShipping[id]
	return orderID, ok
}

// ByReturn finds the order of a return.
func (s *Orders) ByReturn(id string) (orderID string, ok bool) {
	orderID, ok = s.byReturn[id]
	return orderID, ok
}

// Page returns up to limit copies of a brand's shipping orders in a state, by id, behind after.
// Only Waiting and Picking are kept for lists.
func (s *Orders) Page(brand string, state State, after string, limit int) []Order {
	var found []*Order
	for id, o := range s.open[brandState{brand, state}] {
		if id > after {
			found = append(found, o)
		}
	}
	slices.SortFunc(found, func(a, b *Order) int {
		if a.ShippingOrderID < b.ShippingOrderID {
			return -1
		}
		return 1
	})
	page := make([]Order, 0, min(limit, len(found)))
	for _, o := range found[:min(limit, len(found))] {
		page = append(page, o.clone())
	}
	return page
}

// DueBy returns the ids of the orders that time has something to decide for, at most limit.
func (s *Orders) DueBy(now time.Time, limit int) []string {
	var due []string
	for id, o := range s.signed {
		if len(due) < limit && !now.Before(o.DueAt()) {
			due = append(due, id)
		}
	}
	return due
}

// Apply folds one fact.
func (s *Orders) Apply(fact proto.Message, at time.Time) {
	switch f := fact.(type) {
	case *fulfilmentv1.ShippingOrderCreated:
		s.create(f)
	case *fulfilmentv1.PickingStarted:
		s.move(s.byID[f.GetOrderId()], Picking)
	case *fulfilmentv1.ParcelShipped:
		s.ship(s.byID[f.GetOrderId()], f)
	case *fulfilmentv1.ParcelSigned:
		o := s.byID[f.GetOrderId()]
		o.SignedAt, o.WindowEndsAt = f.GetSignedAt().AsTime(), f.GetWindowEndsAt().AsTime()
		s.move(o, Signed)
	case *fulfilmentv1.ReturnRequested:
		s.requestReturn(s.byID[f.GetOrderId()], f, at)
	case *fulfilmentv1.ReturnReceived:
		s.endReturn(f.GetOrderId(), f.GetReturnId(), ReturnReceived)
	case *fulfilmentv1.ReturnExpired:
		s.endReturn(f.GetOrderId(), f.GetReturnId(), ReturnExpired)
	case *fulfilmentv1.ReturnWindowClosed:
		if o := s.byID[f.GetOrderId()]; o.State != Short {
			s.move(o, Closed)
		}
	}
}

func (s *Orders) create(f *fulfilmentv1.ShippingOrderCreated) {
	o := &Order{
		ID: f.GetOrderId(), ShippingOrderID: f.GetShippingOrderId(), CampaignUID: f.GetCampaignUid(), BrandID: f.GetBrandId(),
		BuyerID: f.GetBuyerId(), AddressID: f.GetAddressId(),
		WindowFrom: f.GetReturnWindow().GetFrom(), Window: time.Duration(f.GetReturnWindow().GetSeconds()) * time.Second,
	}
	for _, l := range f.GetLines() {
		o.Lines = append(o.Lines, Line{SKU: l.GetSku(), Units: l.GetUnits()})
	}
	o.State = Waiting
	s.index(o)
}

func (s *Orders) ship(o *Order, f *fulfilmentv1.ParcelShipped) {
	o.Carrier, o.WaybillNo, o.ShipmentHash = f.GetCarrier(), f.GetWaybillNo(), f.GetBodyHash()
	sent := int64(0)
	for _, l := range f.GetLines() {
		o.line(l.GetSku()).Sent = l.GetRealnum()
		sent += l.GetRealnum()
	}
	if sent == 0 {
		s.move(o, Short)
		return
	}
	s.move(o, Shipped)
}

func (s *Orders) requestReturn(o *Order, f *fulfilmentv1.ReturnRequested, at time.Time) {
	r := Return{ID: f.GetReturnId(), State: ReturnRequested, RequestedAt: at, BodyHash: f.GetBodyHash()}
	for _, l := range f.GetLines() {
		r.Lines = append(r.Lines, ReturnLine{SKU: l.GetSku(), Units: l.GetUnits()})
		o.line(l.GetSku()).Returning += l.GetUnits()
	}
	o.Returns = append(o.Returns, r)
	s.byReturn[r.ID] = o.ID
}

func (s *Orders) endReturn(orderID, returnID string, end ReturnState) {
	o := s.byID[orderID]
	r, ok := o.Return(returnID)
	if !ok || r.State != ReturnRequested {
		return
	}
	r.State = end
	for _, l := range r.Lines {
		if end == ReturnReceived {
			o.line(l.SKU).Returned += l.Units
		} else {
			o.line(l.SKU).Returning -= l.Units
		}
	}
}

// move changes an order's state and the lists that follow from it.
func (s *Orders) move(o *Order, to State) {
	delete(s.open[brandState{o.BrandID, o.State}], o.ShippingOrderID)
	delete(s.signed, o.ID)
	o.State = to
	s.index(o)
}

func (s *Orders) index(o *Order) {
	s.byID[o.ID], s.byShipping[o.ShippingOrderID] = o, o.ID
	for _, r := range o.Returns {
		s.byReturn[r.ID] = o.ID
	}
	switch o.State {
	case Waiting, Picking:
		key := brandState{o.BrandID, o.State}
		if s.open[key] == nil {
			s.open[key] = map[string]*Order{}
		}
		s.open[key][o.ShippingOrderID] = o
	case Signed:
		s.signed[o.ID] = o
	case Shipped, Closed, Short:
	}
}

// clone copies an order out of the shard.
func (o *Order) clone() Order {
	out := *o
	out.Lines, out.Returns = slices.Clone(o.Lines), slices.Clone(o.Returns)
	return out
}

// Copy returns a copy of a known order that outlives the shard's lock.
func (s *Orders) Copy(id string) (Order, bool) {
	o, ok := s.byID[id]
	if !ok {
		return Order{}, false
	}
	return o.clone(), true
}

// Encode writes the shard for a snapshot: the same state gives the same bytes.
func (s *Orders) Encode() ([]byte, error) {
	data, err := json.Marshal(s.byID)
	if err != nil {
		return nil, fmt.Errorf("encode the orders: %w", err)
	}
	return data, nil
}

// DecodeOrders reads what Encode wrote.
func DecodeOrders(data []byte) (*Orders, error) {
	s := NewOrders()
	byID := map[string]*Order{}
	if err := json.Unmarshal(data, &byID); err != nil {
		return nil, fmt.Errorf("decode the orders: %w", err)
	}
	for _, o := range byID {
		s.index(o)
	}
	return s, nil
}
