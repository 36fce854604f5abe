package shelf

import (
	"slices"
	"strconv"
	"strings"
	"time"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/money"
)

// Campaign is a sale as people see it.
type Campaign struct {
	UID, Title     string
	Phase          Phase
	StartAt, EndAt time.Time
	SecondsLeft    int64
}

// Style is a style of a campaign with its items, by SKU.
type Style struct {
	No, Name, Category string
	Campaign           Campaign
	Items              []Item
	// TrialIndexTenths is what trial users think of it, in tenths of a point; 0 before its first trial.
	TrialIndexTenths int32
}

// Item is one SKU on sale.
type Item struct {
	SKU, Colour, Size string
	TagPrice, Price   money.Fen
	Stock             Stock
	LeftUnits         int64
}

// StyleSummary is a style in a list: its lowest price, and the stock of all its items.
type StyleSummary struct {
	No, Name, Category string
	From               money.Fen
	Stock              Stock
	LeftUnits          int64
}

var errCursor = fault.New(fault.Invalid, "bad_cursor", "after is not the next of a page before")

// Campaigns returns up to limit of the campaigns that are shown, the latest start first, behind a
// cursor, and the cursor of the page that follows, empty on the last.
func (s *Shelf) Campaigns(after string, limit int, now time.Time) (page []Campaign, next string, err error) {
	from := 0
	if after != "" {
		last, err := parsePlace(after)
		if err != nil {
			return nil, "", err
		}
		at, found := slices.BinarySearchFunc(s.order, last, compare)
		if from = at; found {
			from++
		}
	}
	var last place
	for _, p := range s.order[from:] {
		c := s.campaigns[p.uid]
		if !c.shown(now) {
			continue
		}
		if len(page) == limit {
			return page, last.String(), nil
		}
		page, last = append(page, c.view(now)), p
	}
	return page, "", nil
}

// Campaign returns one campaign with up to limit of its styles, by number behind after, and whether
// there are more.
func (s *Shelf) Campaign(uid, after string, limit int, now time.Time) (view Campaign, styles []StyleSummary, more bool, err error) {
	c, err := s.shown(uid, now)
	if err != nil {
		return Campaign{}, nil, false, err
	}
	from, found := c.find(after)
	if found {
		from++
	}
	view = c.view(now)
	to := min(from+limit, len(c.styles))
	for _, st := range c.styles[from:to] {
		styles = append(styles, s.summary(c, st, view.Phase))
	}
	return view, styles, to < len(c.styles), nil
}

// Style returns one style of a campaign.
func (s *Shelf) Style(uid, styleNo string, now time.Time) (Style, error) {
	c, err := s.shown(uid, now)
	if err != nil {
		return Style{}, err
	}
	at, found := c.find(styleNo)
	if !found {
		return Style{}, ErrUnknownStyle
	}
	return s.style(c, c.styles[at], now), nil
}

func (s *Shelf) shown(uid string, now time.Time) (*campaign, error) {
	c, ok := s.campaigns[uid]
	if !ok || !c.shown(now) {
		return nil, ErrUnknownCampaign
	}
	return c, nil
}

func (c *campaign) view(now time.Time) Campaign {
	phase := c.phase(now)
	return Campaign{
		UID: c.uid, Title: c.newest.GetTitle(), Phase: phase,
		StartAt: c.startAt(), EndAt: c.endAt(), SecondsLeft: c.secondsLeft(phase, now),
	}
}

// style shows the name and category of the first SKU for all: a brand describes each SKU by itself.
func (s *Shelf) style(c *campaign, st style, now time.Time) Style {
	brand := s.brands[c.newest.GetBrandId()]
	described := brand.goods
	first, campaign := described[st.skus[0]], c.view(now)
	view := Style{No: st.no, Name: first.Name, Category: first.Category, Campaign: campaign, TrialIndexTenths: brand.tried[st.no]}
	for _, sku := range st.skus {
		goods, item := described[sku], c.items[sku]
		left, units := c.left(item, campaign.Phase)
		view.Items = append(view.Items, Item{
			SKU: sku, Colour: goods.Colour, Size: goods.Size,
			TagPrice: goods.TagPrice, Price: money.Fen(item.GetPriceFen()),
			Stock: stockOf(left, units), LeftUnits: left,
		})
	}
	return view
}

func (s *Shelf) summary(c *campaign, st style, phase Phase) StyleSummary {
	first := s.brands[c.newest.GetBrandId()].goods[st.skus[0]]
	view := StyleSummary{No: st.no, Name: first.Name, Category: first.Category, From: money.Fen(c.items[st.skus[0]].GetPriceFen())}
	units := int64(0)
	for _, sku := range st.skus {
		left, of := c.left(c.items[sku], phase)
		view.From = min(view.From, money.Fen(c.items[sku].GetPriceFen()))
		view.LeftUnits += left
		units += of
	}
	view.Stock = stockOf(view.LeftUnits, units)
	return view
}

// left returns how many units of an item can be bought, and of how many. Before the brand has given
// stock it is what is planned.
func (c *campaign) left(item *campaignv1.Item, phase Phase) (left, units int64) {
	if phase == Preview {
		return item.GetUnits(), item.GetUnits()
	}
	stock := c.stock[item.GetSku()]
	return max(0, stock.GetUnits()-stock.GetHeldUnits()-stock.GetSoldUnits()), stock.GetUnits()
}

// String is the place as a cursor.
func (p place) String() string { return strconv.FormatInt(p.startSeconds, 10) + "." + p.uid }

func parsePlace(cursor string) (place, error) {
	start, uid, ok := strings.Cut(cursor, ".")
	seconds, err := strconv.ParseInt(start, 10, 64)
	if !ok || err != nil {
		return place{}, errCursor
	}
	return place{startSeconds: seconds, uid: uid}, nil
}
