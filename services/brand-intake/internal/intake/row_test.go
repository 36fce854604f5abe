package intake_test

import (
	"strings"
	"testing"

	"github.com/qingcang/qingcang/services/brand-intake/internal/intake"
	"github.com/qingcang/qingcang/services/internal/fault"
)

var header = strings.Split("款号,条码,品名,品类,颜色,尺码,吊牌价,结算价,数量,仓库,季节", ",")

func sheet(t *testing.T) *intake.Sheet {
	t.Helper()
	h, err := intake.ParseHeader(header)
	if err != nil {
		t.Fatal(err)
	}
	return intake.NewSheet(h)
}

// good is a row without fault; with changes one cell of it.
func good() []string {
	return []string{"TS-22", "690001", "亚麻衬衫", "衬衫", "白", "M", "399.00", "59.90", "120", "杭州一号", "2024 夏"}
}

func with(c intake.Column, cell string) []string {
	row := good()
	row[c] = cell
	return row
}

func TestRows(t *testing.T) {
	cases := map[string]struct {
		row  []string
		want string // "column: part of the reason", empty for a good row
	}{
		"a good row is taken":                           {good(), ""},
		"spaces around cells do not matter":             {with(intake.Barcode, " 690001 "), ""},
		"a price with a yuan sign is taken":             {with(intake.TagPrice, "¥399"), ""},
		"colour, size and season may be empty":          {with(intake.Colour, ""), ""},
		"a lone hyphen stands for nothing":              {with(intake.Colour, "-"), ""},
		"a short row without empty last cells is taken": {good()[:9], ""},
		"an empty name is refused":                      {with(intake.Name, " "), "品名: empty"},
		"a name of 201 characters is refused":           {with(intake.Name, strings.Repeat("长", 201)), "品名: more than 200"},
		"a cell of 513 characters is refused":           {with(intake.Season, strings.Repeat("长", 513)), "季节: more than 512"},
		"a barcode with a space is refused":             {with(intake.Barcode, "69 0001"), "条码: 1 to 40"},
		"a barcode of 41 characters is refused":         {with(intake.Barcode, strings.Repeat("6", 41)), "条码: 1 to 40"},
		"a barcode that a spreadsheet broke is refused": {with(intake.Barcode, "6.90E+12"), "条码: 1 to 40"},
		"a style number in Chinese is refused":          {with(intake.StyleNo, "款一"), "款号: 1 to 32"},
		"a price with three decimals is refused":        {with(intake.TagPrice, "399.001"), "吊牌价: at most 2 decimals"},
		"a price of nothing is refused":                 {with(intake.SettlementPrice, "0.00"), "结算价: above 0"},
		"a negative price is refused":                   {with(intake.SettlementPrice, "-5"), "结算价: above 0"},
		"a price with a comma is refused":               {with(intake.TagPrice, "1,399"), "吊牌价: at most 2 decimals"},
		"a settlement above the tag price is refused":   {with(intake.SettlementPrice, "399.01"), "结算价: above the tag price"},
		"a settlement at the tag price is taken":        {with(intake.SettlementPrice, "399"), ""},
		"a quantity of none is refused":                 {with(intake.Quantity, "0"), "数量: 1 to 1000000"},
		"a quantity of 1,000,000 is taken":              {with(intake.Quantity, "1000000"), ""},
		"a quantity of 1,000,001 is refused":            {with(intake.Quantity, "1000001"), "数量: 1 to 1000000"},
		"a quantity with a fraction is refused":         {with(intake.Quantity, "1.5"), "数量: 1 to 1000000"},
		"a quantity with a plus is refused":             {with(intake.Quantity, "+5"), "数量: 1 to 1000000"},
		"no quantity is refused":                        {with(intake.Quantity, ""), "数量: 1 to 1000000"},
		"a formula is refused":                          {with(intake.Name, `=HYPERLINK("http://x")`), "品名: formula"},
		"a formula behind a plus is refused":            {with(intake.Colour, "+1+1"), "颜色: formula"},
		"a formula behind a hyphen is refused":          {with(intake.Size, "-1-1"), "尺码: formula"},
		"a formula behind an at is refused":             {with(intake.Warehouse, "@SUM(A1)"), "仓库: formula"},
		"a formula behind a tab is refused":             {with(intake.Season, "\t=1+1"), "季节: formula"},
		"a formula in wide characters is refused":       {with(intake.Category, "＝1+1"), "品类: formula"},
		"a line break in a cell is refused":             {with(intake.Name, "a\nb"), "品名: control"},
		"a mark that turns the text around is refused":  {with(intake.Name, "a\u202eb"), "品名: control"},
		"bytes that are no text are refused":            {with(intake.Name, "a\xffb"), "品名: neither UTF-8"},
		"what could not be decoded is refused":          {with(intake.Name, "a\ufffdb"), "品名: neither UTF-8"},
		"a cell beyond the header is refused":           {append(good(), "more"), ": more cells than the header"},
		"empty cells beyond the header are left alone":  {append(good(), "", " "), ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, faults := sheet(t).Row(7, c.row)
			if c.want == "" {
				if len(faults) != 0 {
					t.Fatalf("got %v, want a good row", faults)
				}
				return
			}
			column, reason, _ := strings.Cut(c.want, ": ")
			if len(faults) != 1 || faults[0].Row != 7 || faults[0].Column != strings.TrimSuffix(column, ":") || !strings.Contains(faults[0].Reason, reason) {
				t.Errorf("got %v, want one in row 7, column %q, with %q", faults, column, reason)
			}
		})
	}
}

func TestAllFaultsOfARowComeAtOnce(t *testing.T) {
	row := good()
	row[intake.Barcode], row[intake.TagPrice], row[intake.Quantity] = "", "x", "many"
	if _, faults := sheet(t).Row(2, row); len(faults) != 3 {
		t.Errorf("got %v, want 3 faults", faults)
	}
}

func TestRowsOfOneBarcode(t *testing.T) {
	cases := map[string]struct {
		second []string
		want   bool
	}{
		"may differ in the quantity":         {with(intake.Quantity, "7"), true},
		"may not differ in the colour":       {with(intake.Colour, "黑"), false},
		"may not differ in the price":        {with(intake.SettlementPrice, "59.91"), false},
		"may not stand in two warehouses":    {with(intake.Warehouse, "广州"), false},
		"may write the same price otherwise": {with(intake.TagPrice, "399"), true},
	}
	for name, c := range cases {
		t.Run("rows of one barcode "+name, func(t *testing.T) {
			s := sheet(t)
			if _, faults := s.Row(2, good()); len(faults) > 0 {
				t.Fatal(faults)
			}
			_, faults := s.Row(3, c.second)
			if c.want && len(faults) > 0 || !c.want && (len(faults) != 1 || faults[0].Column != "条码" || !strings.HasPrefix(faults[0].Reason, "Row 2 ")) {
				t.Errorf("got %v", faults)
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	english := strings.Split("style_no,barcode,name,category,colour,size,tag_price,settlement_price,quantity,warehouse,season", ",")
	cases := map[string]struct {
		cells []string
		want  []string // the columns that are named
	}{
		"Chinese names are read":             {header, nil},
		"English names are read":             {english, nil},
		"names in capitals are read":         {strings.Split(strings.ToUpper(strings.Join(english, ",")), ","), nil},
		"both may be mixed, in any order":    {append([]string{"数量", "color"}, without(without(english, "quantity"), "colour")...), nil},
		"further columns are left alone":     {append([]string{"备注"}, english...), nil},
		"a missing column is named":          {without(english, "settlement_price"), []string{"column:settlement_price"}},
		"all missing columns are named":      {without(without(english, "barcode"), "season"), []string{"column:barcode", "column:season"}},
		"a column that is twice is named":    {append([]string{"条码"}, english...), []string{"column:barcode"}},
		"an empty first line names them all": {[]string{""}, []string{"column:style_no", "column:barcode", "column:name", "column:category", "column:colour", "column:size", "column:tag_price", "column:settlement_price", "column:quantity", "column:warehouse", "column:season"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := intake.ParseHeader(c.cells)
			var got []string
			if f, ok := fault.As(err); ok {
				for _, field := range f.Fields {
					got = append(got, field.Pointer)
				}
			}
			if strings.Join(got, " ") != strings.Join(c.want, " ") {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func without(cells []string, name string) (rest []string) {
	for _, c := range cells {
		if c != name {
			rest = append(rest, c)
		}
	}
	return rest
}
