package intake

import (
	"strings"

	"github.com/qingcang/qingcang/services/internal/fault"
)

// Column is a column that a stock file must have.
type Column int

// The columns, in the order of the seeded files.
const (
	StyleNo Column = iota
	Barcode
	Name
	Category
	Colour
	Size
	TagPrice
	SettlementPrice
	Quantity
	Warehouse
	Season
	columns
)

// names are what a header may call each column, the first two in messages.
var names = [columns][]string{
	StyleNo:         {"style_no", "款号"},
	Barcode:         {"barcode", "条码"},
	Name:            {"name", "品名"},
	Category:        {"category", "品类"},
	Colour:          {"colour", "颜色", "color"},
	Size:            {"size", "尺码"},
	TagPrice:        {"tag_price", "吊牌价"},
	SettlementPrice: {"settlement_price", "结算价"},
	Quantity:        {"quantity", "数量"},
	Warehouse:       {"warehouse", "仓库"},
	Season:          {"season", "季节"},
}

// String names the column in both languages.
func (c Column) String() string { return names[c][0] + " (" + names[c][1] + ")" }

// maxHeaderCells bounds a header; an ERP's export has some dozens of columns.
const maxHeaderCells = 256

var (
	errHeader     = fault.New(fault.Invalid, "bad_header", "the first line must name the columns of the stock file; errors lists what is wrong")
	errHeaderWide = fault.Newf(fault.Invalid, "bad_header", "the first line names more than %d columns", maxHeaderCells)
)

// Header says where each column stands.
type Header struct {
	at    [columns]int
	cells []string
}

// ParseHeader finds the columns by their English or Chinese names, in any
// order. Columns that it does not know are left alone. Every fault of the
// header comes back at once.
func ParseHeader(cells []string) (Header, error) {
	if len(cells) > maxHeaderCells {
		return Header{}, errHeaderWide
	}
	h := Header{cells: make([]string, len(cells))}
	for c := range h.at {
		h.at[c] = -1
	}
	var faults []fault.Field
	for i, cell := range cells {
		h.cells[i] = strings.TrimSpace(cell)
		c, ok := columnOf(h.cells[i])
		switch {
		case !ok:
		case h.at[c] >= 0:
			faults = append(faults, fault.Field{Pointer: "column:" + names[c][0], Detail: "the column " + c.String() + " stands there twice"})
		default:
			h.at[c] = i
		}
	}
	for c := range columns {
		if h.at[c] < 0 {
			faults = append(faults, fault.Field{Pointer: "column:" + names[c][0], Detail: "the column " + c.String() + " is missing"})
		}
	}
	if len(faults) > 0 {
		return Header{}, errHeader.With(faults...)
	}
	return h, nil
}

func columnOf(cell string) (Column, bool) {
	cell = strings.ToLower(cell)
	for c := range columns {
		for _, name := range names[c] {
			if cell == name {
				return c, true
			}
		}
	}
	return 0, false
}

// Name is the header's own word for the cell at a place, for messages.
func (h Header) Name(place int) string {
	if place < 0 || place >= len(h.cells) {
		return ""
	}
	name := []rune(h.cells[place])
	return string(name[:min(len(name), 64)])
}
