package retail

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func plan(t *testing.T, rows ...string) *Demand {
	t.Helper()
	f, err := Read(strings.NewReader(head + strings.Join(rows, "\n") + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Refused) > 0 {
		t.Fatalf("refused: %+v", f.Refused)
	}
	return Plan(f)
}

// line is a row of customer 7 on the day of December 2010.
func line(invoice, sku string, units, day int, price string) string {
	return fmt.Sprintf("%s,%s,,%d,2010-12-%02dT08:26,%s,7,", invoice, sku, units, day, price)
}

func TestPrices(t *testing.T) {
	tests := map[string]struct {
		prices []string
		want   Price
	}{
		"one":                                  {[]string{"2.55"}, Price{2550, 1785}},
		"the middle one of three":              {[]string{"9", "2.55", "1"}, Price{2550, 1785}},
		"the mean of the middle two of four":   {[]string{"9", "2.55", "2.95", "1"}, Price{2750, 1925}},
		"a half fen is rounded up":             {[]string{"0.001", "0.002"}, Price{2, 1}},
		"settlement is rounded down":           {[]string{"0.011"}, Price{11, 7}},
		"decimals that a fen has no place for": {[]string{"0.0114"}, Price{11, 7}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var rows []string
			for i, p := range tt.prices {
				rows = append(rows, line(fmt.Sprint("5", i), "85123A", 1, 1, p))
			}
			if got := plan(t, rows...).Prices["85123A"]; got != tt.want {
				t.Errorf("want %v, got %v", tt.want, got)
			}
		})
	}
}

func TestAWeekOffersFourFifthsOfWhatIsAskedForInIt(t *testing.T) {
	d := plan(t,
		line("1", "85123A", 9, 1, "2"), line("2", "85123A", 2, 5, "2"), // 2010-W48: 11 units
		line("3", "85123A", 1, 6, "2"), // 2010-W49: 1 unit, of which 80% is none
	)
	if len(d.Weeks) != 2 || d.Weeks[0].Name() != "2010-W48" || d.Weeks[1].Name() != "2010-W49" {
		t.Fatalf("got %+v", d.Weeks)
	}
	want := []Campaign{{Brand: BrandOf("85123A"), Items: []Item{{"85123A", 8}}}}
	if !reflect.DeepEqual(d.Weeks[0].Campaigns, want) {
		t.Errorf("want %v, got %v", want, d.Weeks[0].Campaigns)
	}
	if len(d.Weeks[1].Campaigns) != 0 || len(d.Weeks[1].Steps[0].Unoffered) != 1 {
		t.Errorf("a supply of 0 is no item: %+v", d.Weeks[1])
	}
	if got := d.Stock()[BrandOf("85123A")]; !reflect.DeepEqual(got, want[0].Items) {
		t.Errorf("stock: want %v, got %v", want[0].Items, got)
	}
}

func TestAnInvoiceIsOneOrderPerCampaign(t *testing.T) {
	other := "" // a code of another brand
	for n := 10000; other == ""; n++ {
		if code := fmt.Sprint(n); BrandOf(code) != BrandOf("85123A") {
			other = code
		}
	}
	d := plan(t,
		line("1", "85123A", 9, 1, "2"), line("1", other, 5, 1, "2"), line("2", other, 5, 1, "2"), line("1", "85123A", 2, 1, "2"),
	)
	steps := d.Weeks[0].Steps
	if len(steps) != 2 || len(steps[0].Orders) != 2 || len(steps[1].Orders) != 1 {
		t.Fatalf("got %+v", steps)
	}
	if want := []Line{{"85123A", 11}}; !reflect.DeepEqual(steps[0].Orders[0].Lines, want) {
		t.Errorf("rows of one SKU are summed: want %v, got %v", want, steps[0].Orders[0].Lines)
	}
}

func TestReturnsKeepTheirPlaceAmongTheCustomersRows(t *testing.T) {
	d := plan(t,
		line("1", "85123A", 9, 1, "2"),
		line("C2", "85123A", -1, 1, "2"), line("C2", "85123A", -2, 1, "2"),
		line("3", "85123A", 9, 1, "2"),
		line("C2", "85123A", -3, 1, "2"),
	)
	var got []string
	for _, s := range d.Weeks[0].Steps {
		got = append(got, fmt.Sprintf("%s: %d orders, %d returns", s.Invoice, len(s.Orders), len(s.Returns)))
	}
	if want := []string{"1: 1 orders, 0 returns", "C2: 0 orders, 2 returns", "3: 1 orders, 0 returns", "C2: 0 orders, 1 returns"}; !reflect.DeepEqual(got, want) {
		t.Errorf("want %v, got %v", want, got)
	}
}

func TestLimitsOfCampaignsAndOrders(t *testing.T) {
	var rows []string
	for n := range 20_000 {
		rows = append(rows, line("1", fmt.Sprint(10_000+n), 5, 1, "2"))
	}
	w := plan(t, rows...).Weeks[0]
	if len(w.Campaigns) <= Brands {
		t.Errorf("%d campaigns for 20,000 SKUs", len(w.Campaigns))
	}
	lines := 0
	for _, c := range w.Campaigns {
		if len(c.Items) > maxItems {
			t.Errorf("a campaign with %d items", len(c.Items))
		}
	}
	for _, o := range w.Steps[0].Orders {
		lines += len(o.Lines)
		if len(o.Lines) > maxLines {
			t.Errorf("an order with %d lines", len(o.Lines))
		}
	}
	if lines != 20_000 {
		t.Errorf("%d lines", lines)
	}
}
