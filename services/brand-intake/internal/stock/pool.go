// Package stock decides where a brand's units are: in its pool, or with a
// campaign. No unit is ever with two campaigns. It is pure.
package stock

import (
	"google.golang.org/protobuf/proto"

	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/services/internal/money"
)

// Goods describes one SKU of a brand.
type Goods struct {
	// SKU is the barcode, unique in the brand.
	SKU      string
	StyleNo  string
	Name     string
	Category string
	Colour   string
	Size     string
	TagPrice money.Fen
	// Settlement is what the brand gets for each unit at least.
	Settlement money.Fen
	// Units is how many this row or submission adds; the pool counts apart.
	Units     int64
	Warehouse string
	Season    string
}

// FromMessage converts a message to goods.
func FromMessage(m *brandv1.Goods) Goods {
	return Goods{
		SKU: m.GetSku(), StyleNo: m.GetStyleNo(), Name: m.GetName(), Category: m.GetCategory(),
		Colour: m.GetColour(), Size: m.GetSize(), TagPrice: money.Fen(m.GetTagPriceFen()),
		Settlement: money.Fen(m.GetSettlementFen()), Units: m.GetUnits(),
		Warehouse: m.GetWarehouse(), Season: m.GetSeason(),
	}
}

// Message converts goods to a message.
func (g Goods) Message() *brandv1.Goods {
	return &brandv1.Goods{
		Sku: g.SKU, StyleNo: g.StyleNo, Name: g.Name, Category: g.Category, Colour: g.Colour, Size: g.Size,
		TagPriceFen: int64(g.TagPrice), SettlementFen: int64(g.Settlement), Units: g.Units,
		Warehouse: g.Warehouse, Season: g.Season,
	}
}

// Item is what the pool knows of one SKU. Approved = Allocated + Free.
type Item struct {
	// Goods is the newest approved description; its Units mean nothing here.
	Goods    Goods
	Approved int64
	// Allocated units were given to campaigns and have not come back, sold ones included.
	Allocated int64
	// Sold units were paid for, before short shipment and returns.
	Sold int64
}

// Free is what the next campaign can have.
func (i *Item) Free() int64 { return i.Approved - i.Allocated }

// Campaign is what the pool has to do with one campaign.
type Campaign struct {
	// Answered is the newest generation that was allocated or refused.
	Answered int64
	// Given units are with the campaign now, by SKU.
	Given map[string]int64
	// Allocated is the newest generation that was allocated, and Agreed what it says, by SKU.
	Allocated int64
	Agreed    map[string]Terms
	Lane      Lane
	// TopUps counts the allocations beyond the answers to generations.
	TopUps int64
	// Closed campaigns get nothing any more.
	Closed bool
	// Released is the cause of the last release, so that one cause releases once.
	Released string
}

// Terms are what a generation wants of one SKU.
type Terms struct {
	Units      int64
	Settlement money.Fen
}

// Lane is where a campaign's commands count. It never changes.
type Lane struct {
	Topic     string
	Partition int32
}

func (l Lane) message() *campaignv1.Lane {
	return &campaignv1.Lane{Topic: l.Topic, Partition: l.Partition}
}

// Pool is a brand's stock. Its zero value is empty.
type Pool struct {
	Items     map[string]*Item
	Campaigns map[string]*Campaign
}

// HasStyle reports whether a SKU of that style was ever approved. It looks at all of them, some
// 200,000 at most: it is asked a few times a day.
func (p *Pool) HasStyle(styleNo string) bool {
	for _, item := range p.Items {
		if item.Goods.StyleNo == styleNo {
			return true
		}
	}
	return false
}

// Take adds the goods of an approved submission: units add up, and the newest
// description and settlement price win. Units are bounded by the file's limits
// (2·10¹¹ a submission), so the sum stays far from 2⁶³.
func (p *Pool) Take(goods []Goods) {
	if p.Items == nil {
		p.Items = map[string]*Item{}
	}
	for _, g := range goods {
		item, ok := p.Items[g.SKU]
		if !ok {
			item = &Item{}
			p.Items[g.SKU] = item
		}
		item.Approved += g.Units
		item.Goods = g
		item.Goods.Units = 0
	}
}

// Fold takes a fact into the pool and reports whether it was one of its own.
func (p *Pool) Fold(f proto.Message) bool {
	switch f := f.(type) {
	case *brandv1.CampaignHeard:
		p.heard(f.GetDesired())
	case *brandv1.StockAllocated:
		c := p.campaign(f.GetCampaignUid())
		c.Answered = max(c.Answered, f.GetGeneration())
		c.TopUps = max(c.TopUps, f.GetTopUp())
		p.move(c, f.GetAdd(), +1)
	case *brandv1.StockRefused:
		c := p.campaign(f.GetCampaignUid())
		c.Answered = max(c.Answered, f.GetGeneration())
	case *brandv1.StockReleased:
		c := p.campaign(f.GetCampaignUid())
		c.Released = f.GetCause()
		p.move(c, f.GetUnits(), -1)
	case *brandv1.SettlementPosted:
		p.sold(f)
	default:
		return false
	}
	return true
}

func (p *Pool) campaign(uid string) *Campaign {
	if p.Campaigns == nil {
		p.Campaigns = map[string]*Campaign{}
	}
	c, ok := p.Campaigns[uid]
	if !ok {
		c = &Campaign{Given: map[string]int64{}, Agreed: map[string]Terms{}}
		p.Campaigns[uid] = c
	}
	return c
}

func (p *Pool) heard(d *campaignv1.Desired) {
	c := p.campaign(d.GetUid())
	c.Closed = c.Closed || d.GetClosed()
	c.Allocated = max(c.Allocated, d.GetGeneration())
	c.Lane = Lane{Topic: d.GetLane().GetTopic(), Partition: d.GetLane().GetPartition()}
	c.Agreed = make(map[string]Terms, len(d.GetItems()))
	for _, w := range summed(d.GetItems()) {
		c.Agreed[w.sku] = w.Terms
	}
}

// move carries units from the pool to the campaign, or back with sign −1.
func (p *Pool) move(c *Campaign, units []*brandv1.AllocatedUnits, sign int64) {
	for _, u := range units {
		n := sign * u.GetUnits()
		if item, ok := p.Items[u.GetSku()]; ok {
			item.Allocated += n
		}
		c.Given[u.GetSku()] += n
		if c.Given[u.GetSku()] == 0 {
			delete(c.Given, u.GetSku())
		}
	}
}

func (p *Pool) sold(f *brandv1.SettlementPosted) {
	if f.GetKind() != brandv1.SettlementPosted_KIND_SOLD {
		return
	}
	for _, line := range f.GetLines() {
		if item, ok := p.Items[line.GetSku()]; ok {
			item.Sold += line.GetUnits()
		}
	}
}
