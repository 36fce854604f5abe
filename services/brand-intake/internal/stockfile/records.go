package stockfile

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/qingcang/qingcang/services/internal/fault"
)

// maxRecordBytes bounds what encoding/csv gets to buffer. A row of eleven full
// cells of Chinese text has 17 KiB.
const maxRecordBytes = 64 << 10

// record is one row of the file.
type record struct {
	// row counts from 1, blank lines included, as a spreadsheet does.
	row   int64
	cells []string
	// overlong records were skipped; place is the cell in which they went over
	// the limit and cellBytes how much of it had come by then.
	overlong         bool
	place, cellBytes int
	// damaged records break the rules of quoting.
	damaged bool
}

// records cuts the text into records before encoding/csv sees it, so that one
// of ten million characters is skipped, not buffered.
type records struct {
	in  *bufio.Reader
	row int64
	// buf holds the record that csv is to read; unread is the rest of it.
	buf, unread []byte
	csv         *csv.Reader
}

func newRecords(text io.Reader) *records {
	r := &records{in: bufio.NewReaderSize(text, bufferBytes)}
	r.parser()
	return r
}

// parser begins with an empty parser: after a damaged record nothing of it is left.
func (r *records) parser() {
	r.unread = nil
	r.csv = csv.NewReader(handover{r})
	r.csv.FieldsPerRecord = -1 // a row may be short or long; its faults name the cells
	r.csv.ReuseRecord = true
}

// next returns the next record; its cells are valid until the one after it.
func (r *records) next() (record, error) {
	rec := record{row: r.row + 1}
	if err := r.cut(&rec); err != nil {
		return record{}, err
	}
	r.row++
	if rec.overlong || len(r.buf) <= 1 { // skipped, or nothing but its line feed
		return rec, nil
	}
	r.unread = r.buf
	cells, err := r.csv.Read()
	if err != nil {
		r.parser()
		rec.damaged = true
		return rec, nil //nolint:nilerr // a fault of this row alone
	}
	rec.cells = cells
	return rec, nil
}

// cut reads one record into buf, up to its line feed, which quotes may hide.
func (r *records) cut(rec *record) error {
	r.buf = r.buf[:0]
	c := cutter{start: true}
	for {
		b, err := r.in.ReadByte()
		if errors.Is(err, io.EOF) {
			if c.quoted && !c.closing {
				return fault.Newf(fault.Invalid, "quote_not_closed", "row %d opens a quote that is never closed; nothing was taken", rec.row)
			}
			if len(r.buf) == 0 && !rec.overlong {
				return io.EOF
			}
			b = '\n' // the last line may lack it
		} else if err != nil {
			return err
		}
		end := c.step(b)
		if !rec.overlong {
			r.buf = append(r.buf, b)
			if len(r.buf) > maxRecordBytes {
				rec.overlong, rec.place, rec.cellBytes = true, c.place, c.cellBytes
			}
		}
		if end {
			r.buf = trimReturn(r.buf)
			return nil
		}
	}
}

// trimReturn makes "\r\n" at the end "\n", so that a blank line of Windows is one.
func trimReturn(line []byte) []byte {
	if n := len(line); n >= 2 && line[n-2] == '\r' {
		line[n-2] = '\n'
		return line[:n-1]
	}
	return line
}

// cutter follows RFC 4180 just far enough to know which line feed ends a record.
type cutter struct {
	// start: at the first byte of a cell, where alone a quote opens.
	start, quoted, closing bool
	place, cellBytes       int
}

func (c *cutter) step(b byte) (end bool) {
	c.cellBytes++
	switch {
	case c.start && b == '"':
		c.start, c.quoted = false, true
	case c.quoted && !c.closing:
		c.closing = b == '"' // it closes the cell, or is the first of a doubled one
	case c.closing && b == '"':
		c.closing = false
	case b == '\n':
		return true
	case b == ',':
		*c = cutter{start: true, place: c.place + 1}
	default:
		c.start, c.quoted, c.closing = false, false, false
	}
	return false
}

// handover gives csv the bytes of one record and no more.
type handover struct{ of *records }

func (h handover) Read(p []byte) (int, error) {
	if len(h.of.unread) == 0 {
		return 0, io.EOF
	}
	n := copy(p, h.of.unread)
	h.of.unread = h.of.unread[n:]
	return n, nil
}

// blank reports a row of nothing but separators, as spreadsheets leave behind.
func blank(cells []string) bool {
	return !slices.ContainsFunc(cells, func(cell string) bool { return strings.TrimSpace(cell) != "" })
}
