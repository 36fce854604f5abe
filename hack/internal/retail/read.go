package retail

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxRows bounds a file; a row costs some 150 bytes of memory.
const maxRows = 5_000_000

// The columns that are read; others may stand between them, in any order.
var columns = []string{"InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID"}

const (
	invoiceColumn = iota
	codeColumn
	quantityColumn
	dateColumn
	priceColumn
	customerColumn
)

// goods are codes of things that can be sold; the others are postage, fees and corrections.
var goods = regexp.MustCompile(`^[0-9]{5}[A-Z]{0,2}$`)

// dateLayouts are the forms of InvoiceDate: local time to the minute, or to the second.
var dateLayouts = []string{"2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04"}

// Open reads a file of order lines, plain or gzipped.
func Open(path string) (*File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the orders: %w", err)
	}
	defer func() { _ = file.Close() }() // only read
	f, err := Read(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// Read reads order lines, plain or gzipped. A row that cannot be goods or a sale is refused; an
// error means that the file itself is no such file, or is damaged.
func Read(input io.Reader) (*File, error) {
	buffered := bufio.NewReaderSize(input, 64<<10)
	input = buffered
	if magic, err := buffered.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		if input, err = gzip.NewReader(buffered); err != nil {
			return nil, fmt.Errorf("unpack: %w", describe(err))
		}
	}
	rows := csv.NewReader(skipMark(input))
	// A stray quote in a description is no reason to lose the row.
	rows.ReuseRecord, rows.LazyQuotes, rows.FieldsPerRecord = true, true, -1
	places, err := header(rows)
	if err != nil {
		return nil, err
	}
	f := &File{}
	for {
		cells, err := rows.Read()
		var fault *csv.ParseError
		switch {
		case errors.Is(err, io.EOF):
			return f, nil
		case errors.As(err, &fault):
			f.add(Row{}, "the row is no CSV: "+fault.Err.Error())
		case err != nil:
			return nil, fmt.Errorf("after row %d: %w", f.Rows+1, describe(err))
		default:
			f.add(classify(places.pick(cells)))
		}
		if f.Rows > maxRows {
			return nil, fmt.Errorf("more than %d rows; cut the file", maxRows)
		}
	}
}

// describe says what a damaged file is in words.
func describe(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the gzip file ends in the middle, it was cut off: %w", err)
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader):
		return fmt.Errorf("the gzip file is damaged: %w", err)
	}
	return err
}

// skipMark leaves out the byte order mark that spreadsheets put before a CSV.
func skipMark(input io.Reader) io.Reader {
	buffered := bufio.NewReaderSize(input, 64<<10)
	if mark, err := buffered.Peek(3); err == nil && bytes.Equal(mark, []byte("\ufeff")) {
		_, _ = buffered.Discard(3) // they were peeked
	}
	return buffered
}

// places are where the columns stand.
type places [6]int

func header(rows *csv.Reader) (places, error) {
	cells, err := rows.Read()
	if errors.Is(err, io.EOF) {
		return places{}, errors.New("the file is empty")
	}
	if err != nil {
		return places{}, fmt.Errorf("read the header: %w", describe(err))
	}
	var at places
	var missing []string
	for i, column := range columns {
		at[i] = slices.IndexFunc(cells, func(cell string) bool { return strings.TrimSpace(cell) == column })
		if at[i] < 0 {
			missing = append(missing, column)
		}
	}
	if len(missing) > 0 {
		return places{}, fmt.Errorf("the header has no column %s; these are wanted: %s", strings.Join(missing, ", "), strings.Join(columns, ", "))
	}
	return at, nil
}

// pick returns the cells in the order of columns; one that the row does not have is empty.
func (p places) pick(cells []string) [6]string {
	var out [6]string
	for i, at := range p {
		if at < len(cells) {
			out[i] = cells[at]
		}
	}
	return out
}

func (f *File) add(r Row, refused string) {
	f.Rows++
	r.Number = f.Rows + 1
	if refused != "" {
		f.Refused = append(f.Refused, Refusal{Row: r.Number, Reason: refused})
		return
	}
	f.Accepted = append(f.Accepted, r)
}

// classify reads one row's cells and returns the row, or why it is refused.
func classify(cells [6]string) (r Row, refused string) {
	r = Row{
		Invoice: strings.Clone(strings.TrimSpace(cells[invoiceColumn])), SKU: strings.ToUpper(cells[codeColumn]),
		Customer: strings.Clone(strings.TrimSpace(cells[customerColumn])),
	}
	if !goods.MatchString(r.SKU) {
		return r, fmt.Sprintf("StockCode %.40q is no goods", cells[codeColumn])
	}
	r.SKU = strings.Clone(r.SKU) // its own bytes: a cell is a part of its whole row
	var err error
	if r.Units, err = strconv.ParseInt(strings.TrimSpace(cells[quantityColumn]), 10, 64); err != nil {
		return r, fmt.Sprintf("Quantity %.40q is no whole number", cells[quantityColumn])
	}
	if r.At, err = parseDate(strings.TrimSpace(cells[dateColumn])); err != nil {
		return r, fmt.Sprintf("InvoiceDate %.40q is no date and time like 2010-12-01T08:26", cells[dateColumn])
	}
	price, ok := parsePounds(strings.TrimSpace(cells[priceColumn]))
	if !ok {
		return r, fmt.Sprintf("UnitPrice %.40q is no decimal number like 2.55", cells[priceColumn])
	}
	r.Price, r.Return = price, strings.HasPrefix(r.Invoice, "C")
	if refused = r.check(); refused != "" {
		return r, refused
	}
	if r.Return {
		r.Units = -r.Units
	}
	return r, ""
}

// check says what is wrong with a row that could be read.
func (r *Row) check() string {
	switch {
	case r.Invoice == "":
		return "InvoiceNo is empty"
	case r.Price <= 0:
		return "UnitPrice is not above 0"
	case r.Price > maxPricePounds*poundNanos:
		return fmt.Sprintf("UnitPrice is above %d", maxPricePounds)
	case r.Units == 0:
		return "Quantity is 0"
	case r.Units < 0 && !r.Return:
		return "Quantity is negative and the invoice is no C invoice"
	case r.Units > 0 && r.Return:
		return "Quantity is positive on a C invoice"
	case r.Units > maxRowUnits || r.Units < -maxRowUnits:
		return fmt.Sprintf("Quantity is beyond %d", maxRowUnits)
	}
	return ""
}

func parseDate(cell string) (time.Time, error) {
	var at time.Time
	err := errors.New("empty")
	for _, layout := range dateLayouts {
		if at, err = time.Parse(layout, cell); err == nil {
			return at, nil
		}
	}
	return at, err
}
