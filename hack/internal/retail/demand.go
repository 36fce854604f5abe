package retail

import (
	"cmp"
	"fmt"
	"slices"
)

// What one campaign and one order may hold; a week that needs more gets more of them.
const (
	maxItems = 1_000
	maxLines = 500
	// maxItemUnits is the most that a campaign may offer of one SKU.
	maxItemUnits = 1_000_000
)

// Demand is a file as the suite is to see it.
type Demand struct {
	Prices map[string]Price
	Weeks  []Week
}

// Week is one ISO week: what is offered in it and what happens, in file order.
type Week struct {
	Year, Number int
	Campaigns    []Campaign
	Steps        []Step
}

// Name is the week as ISO 8601 writes it.
func (w *Week) Name() string { return fmt.Sprintf("%d-W%02d", w.Year, w.Number) }

// Orders is how many orders are placed in the week.
func (w *Week) Orders() int {
	n := 0
	for _, s := range w.Steps {
		n += len(s.Orders)
	}
	return n
}

// Campaign is a brand's sale in a week. A brand with more than 1,000 SKUs in a week has several.
type Campaign struct {
	Brand int
	Part  int // from 0, within the brand and week
	Items []Item
}

// Item is the supply of a SKU in a week: 80% of the units asked for, rounded down.
type Item struct {
	SKU   string
	Units int64
}

// supplyPercent of what is asked for is offered.
const supplyPercent = 80

// Step is what one invoice does in a week: it orders, or it sends back.
type Step struct {
	Invoice string
	// Customer is empty for a guest, who is another one with each invoice.
	Customer string
	Orders   []Order
	// Unoffered are lines of brands that offer nothing at all in the week: there is no campaign to
	// place them with.
	Unoffered []Line
	Returns   []Line // one for each row
}

// Order is an invoice's part for one campaign, its rows of one SKU summed.
type Order struct {
	Campaign int // index into the week's Campaigns
	Lines    []Line
}

// Line is a number of units of a SKU.
type Line struct {
	SKU   string
	Units int64
}

// Plan turns the accepted rows into demand, week after week.
func Plan(f *File) *Demand {
	d := &Demand{Prices: prices(f.Accepted)}
	byWeek := map[[2]int][]Row{}
	for _, r := range f.Accepted {
		year, week := r.At.ISOWeek()
		byWeek[[2]int{year, week}] = append(byWeek[[2]int{year, week}], r)
	}
	for at, rows := range byWeek {
		w := Week{Year: at[0], Number: at[1]}
		w.offer(rows, d.Prices)
		w.play(rows)
		d.Weeks = append(d.Weeks, w)
	}
	slices.SortFunc(d.Weeks, func(a, b Week) int { return cmp.Or(a.Year-b.Year, a.Number-b.Number) })
	return d
}

// Stock is what each brand needs for all weeks together, by SKU.
func (d *Demand) Stock() [Brands][]Item {
	units := map[string]int64{}
	for _, w := range d.Weeks {
		for _, c := range w.Campaigns {
			for _, i := range c.Items {
				units[i.SKU] += i.Units
			}
		}
	}
	var out [Brands][]Item
	for sku, n := range units {
		brand := BrandOf(sku)
		out[brand] = append(out[brand], Item{SKU: sku, Units: n})
	}
	for _, items := range out {
		sortItems(items)
	}
	return out
}

func sortItems(items []Item) {
	slices.SortFunc(items, func(a, b Item) int { return cmp.Compare(a.SKU, b.SKU) })
}

// offer makes the week's campaigns. Goods of which the supply is 0, or that are so cheap that
// nothing of a fen is left for the brand, are not offered.
func (w *Week) offer(rows []Row, prices map[string]Price) {
	asked := map[string]int64{}
	for _, r := range rows {
		if !r.Return {
			asked[r.SKU] += r.Units
		}
	}
	var items [Brands][]Item
	for sku, units := range asked {
		supply := min(units*supplyPercent/100, maxItemUnits)
		if supply > 0 && prices[sku].SettlementFen > 0 {
			items[BrandOf(sku)] = append(items[BrandOf(sku)], Item{SKU: sku, Units: supply})
		}
	}
	for brand := range items {
		sortItems(items[brand])
		part := 0
		for chunk := range slices.Chunk(items[brand], maxItems) {
			w.Campaigns = append(w.Campaigns, Campaign{Brand: brand, Part: part, Items: chunk})
			part++
		}
	}
}

// play makes the week's steps. An invoice orders at the place of its first row; rows of a C invoice
// are one step as long as its customer does nothing else between them.
func (w *Week) play(rows []Row) {
	type key struct{ invoice, customer string }
	sales := map[key]int{}    // index of the invoice's step
	last := map[string]int{}  // by customer or guest's invoice: its newest step
	wanted := map[int][]Row{} // by step: the rows of a sale
	for _, r := range rows {
		at := key{r.Invoice, r.Customer}
		who := r.Customer
		if who == "" {
			who = "guest of " + r.Invoice
		}
		step, known := sales[at]
		if r.Return {
			step, known = last[who]
			known = known && w.Steps[step].Invoice == r.Invoice && len(w.Steps[step].Returns) > 0
		}
		if !known {
			step = len(w.Steps)
			w.Steps = append(w.Steps, Step{Invoice: r.Invoice, Customer: r.Customer})
			last[who] = step
		}
		if r.Return {
			w.Steps[step].Returns = append(w.Steps[step].Returns, Line{SKU: r.SKU, Units: r.Units})
			continue
		}
		sales[at] = step
		wanted[step] = append(wanted[step], r)
	}
	homes := w.homes()
	for step, rows := range wanted {
		w.Steps[step].order(summed(rows), homes)
	}
}

// homes are the campaigns in which SKUs are asked for.
type homes struct {
	of    map[string]int
	brand map[int]int // a brand's first campaign, where its goods that are not offered are asked for
}

func (w *Week) homes() homes {
	h := homes{of: map[string]int{}, brand: map[int]int{}}
	for i, c := range w.Campaigns {
		if c.Part == 0 {
			h.brand[c.Brand] = i
		}
		for _, item := range c.Items {
			h.of[item.SKU] = i
		}
	}
	return h
}

// order shares an invoice's lines out over campaigns, in the order of the first line of each.
func (s *Step) order(lines []Line, h homes) {
	open := map[int]int{} // by campaign: its order that still has room
	for _, line := range lines {
		campaign, ok := h.of[line.SKU]
		if !ok {
			campaign, ok = h.brand[BrandOf(line.SKU)]
		}
		if !ok {
			s.Unoffered = append(s.Unoffered, line)
			continue
		}
		i, ok := open[campaign]
		if !ok || len(s.Orders[i].Lines) == maxLines {
			i = len(s.Orders)
			open[campaign] = i
			s.Orders = append(s.Orders, Order{Campaign: campaign})
		}
		s.Orders[i].Lines = append(s.Orders[i].Lines, line)
	}
}

// summed adds up the rows of each SKU; its first row keeps the place. A sum beyond what one line may
// ask for becomes two lines, which the lane sums again.
func summed(rows []Row) []Line {
	var out []Line
	at := map[string]int{}
	for _, r := range rows {
		i, ok := at[r.SKU]
		if !ok || out[i].Units+r.Units > maxRowUnits {
			i = len(out)
			at[r.SKU] = i
			out = append(out, Line{SKU: r.SKU})
		}
		out[i].Units += r.Units
	}
	return out
}
