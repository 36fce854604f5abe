package intake

import (
	"fmt"
	"hash/fnv"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/qingcang/qingcang/services/brand-intake/internal/stock"
	"github.com/qingcang/qingcang/services/internal/money"
)

const (
	// MaxCellRunes bounds any cell, also of columns that nobody reads.
	MaxCellRunes = 512
	// MaxQuantity bounds the units of one row.
	MaxQuantity = 1_000_000
)

var (
	barcodeForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$`)
	// A style number travels in share links, which have room for 32 characters.
	styleForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$`)
)

// Sheet checks the rows of one file. It remembers each barcode, because rows
// that share one must agree: their quantities are summed, as a warehouse that
// counts carton by carton sends them; a difference in anything else is a fault
// of the later row.
type Sheet struct {
	header Header
	seen   map[string]sighting
}

type sighting struct {
	row        int64
	attributes uint64
}

// NewSheet checks rows under a header.
func NewSheet(h Header) *Sheet { return &Sheet{header: h, seen: map[string]sighting{}} }

// Header returns the header that the rows stand under.
func (s *Sheet) Header() Header { return s.header }

// Row checks one row and returns its goods, or every fault of it.
func (s *Sheet) Row(row int64, cells []string) (stock.Goods, []Fault) {
	r := reading{header: s.header, row: row, cells: cells}
	r.shape()
	if len(r.faults) > 0 { // a cell that nobody can show is not worth reading
		return stock.Goods{}, r.faults
	}
	g := stock.Goods{
		StyleNo:    r.code(StyleNo, styleForm, "1 to 32"),
		SKU:        r.code(Barcode, barcodeForm, "1 to 40"),
		Name:       r.text(Name, 200, true),
		Category:   r.text(Category, 60, false),
		Colour:     r.text(Colour, 40, false),
		Size:       r.text(Size, 40, false),
		TagPrice:   r.yuan(TagPrice),
		Settlement: r.yuan(SettlementPrice),
		Units:      r.quantity(),
		Warehouse:  r.text(Warehouse, 60, false),
		Season:     r.text(Season, 40, false),
	}
	if g.TagPrice > 0 && g.Settlement > g.TagPrice {
		r.refuse(SettlementPrice, "The settlement price is above the tag price.")
	}
	if len(r.faults) == 0 {
		s.agree(&r, g)
	}
	if len(r.faults) > 0 {
		return stock.Goods{}, r.faults
	}
	return g, nil
}

// agree holds a good row against earlier ones of its barcode.
func (s *Sheet) agree(r *reading, g stock.Goods) {
	now := sighting{row: r.row, attributes: attributes(g)}
	before, seen := s.seen[g.SKU]
	switch {
	case !seen:
		s.seen[strings.Clone(g.SKU)] = now // its own bytes: a cell is a part of its whole row
	case before.attributes != now.attributes:
		r.refuse(Barcode, fmt.Sprintf("Row %d has the same barcode with other details; rows of one barcode may differ in the quantity only.", before.row))
	}
}

// attributes is a hash of all but the quantity. It guards a brand against its
// own slips, so 64 bits that are not secret do.
func attributes(g stock.Goods) uint64 {
	h := fnv.New64a()
	for _, part := range []string{
		g.StyleNo, g.Name, g.Category, g.Colour, g.Size, g.Warehouse, g.Season,
		strconv.FormatInt(int64(g.TagPrice), 10), strconv.FormatInt(int64(g.Settlement), 10),
	} {
		_, _ = h.Write([]byte(part)) // never fails
		_, _ = h.Write([]byte{0})    // no cell holds it
	}
	return h.Sum64()
}

// reading collects the faults of one row.
type reading struct {
	header Header
	row    int64
	cells  []string
	faults []Fault
}

func (r *reading) refuse(c Column, reason string) {
	r.faults = append(r.faults, Fault{Row: r.row, Column: r.header.Name(r.header.at[c]), Reason: reason})
}

// shape refuses cells that are not text of a bearable length, and cells beyond
// the header.
func (r *reading) shape() {
	for i, cell := range r.cells {
		reason := ""
		switch {
		case utf8.RuneCountInString(cell) > MaxCellRunes:
			reason = TooLongCell
		case !utf8.ValidString(cell) || strings.ContainsRune(cell, utf8.RuneError):
			reason = "The cell is neither UTF-8 nor GB18030 text; save the file as UTF-8."
		case i >= len(r.header.cells) && strings.TrimSpace(cell) != "":
			reason = "The row has more cells than the header; is a comma not in quotes?"
		}
		if reason != "" {
			r.faults = append(r.faults, Fault{Row: r.row, Column: r.header.Name(i), Reason: reason})
		}
		if len(r.faults) == int(columns) {
			return // a row says no more than that
		}
	}
}

// TooLongCell is the reason of a cell that is over MaxCellRunes.
var TooLongCell = fmt.Sprintf("The cell has more than %d characters.", MaxCellRunes)

func (r *reading) cell(c Column) string {
	if at := r.header.at[c]; at < len(r.cells) {
		return strings.TrimSpace(r.cells[at])
	}
	return ""
}

func (r *reading) code(c Column, form *regexp.Regexp, length string) string {
	cell := r.cell(c)
	if !form.MatchString(cell) {
		r.refuse(c, length+" characters of A-Z, a-z, 0-9, dot, underscore and hyphen are wanted, the first a letter or digit.")
	}
	return cell
}

func (r *reading) text(c Column, maxRunes int, required bool) string {
	cell := r.cell(c)
	switch {
	case cell == "" && required:
		r.refuse(c, "The cell is empty.")
	case utf8.RuneCountInString(cell) > maxRunes:
		r.refuse(c, fmt.Sprintf("The cell has more than %d characters.", maxRunes))
	case hasControl(cell):
		r.refuse(c, "The cell has a line break or another control character.")
	case isFormula(cell):
		r.refuse(c, "The cell begins like a spreadsheet formula; take the first character away.")
	}
	return cell
}

func (r *reading) yuan(c Column) money.Fen {
	fen, err := money.ParseYuan(r.cell(c))
	if err != nil || fen <= 0 {
		r.refuse(c, "A price in yuan above 0 with at most 2 decimals is wanted, such as 59.90.")
		return 0
	}
	return fen
}

func (r *reading) quantity() int64 {
	cell := r.cell(Quantity)
	n, err := strconv.ParseInt(cell, 10, 64)
	if err != nil || n < 1 || n > MaxQuantity || cell[0] == '+' {
		r.refuse(Quantity, "A whole number from 1 to 1000000 is wanted.")
		return 0
	}
	return n
}
