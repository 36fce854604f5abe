// Package stockfile reads the bytes of a stock file: gzip, text encoding, CSV.
// It holds one record at a time, whatever is sent.
package stockfile

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"

	"github.com/qingcang/qingcang/services/brand-intake/internal/intake"
	"github.com/qingcang/qingcang/services/brand-intake/internal/stock"
	"github.com/qingcang/qingcang/services/internal/fault"
)

const (
	// MaxBytes bounds a file after decompression.
	MaxBytes = 256 << 20
	// MaxRows bounds the rows of a file, blank ones included.
	MaxRows = 200_000
	// bufferBytes is what is read at a time.
	bufferBytes = 64 << 10
)

// The faults of a whole file. Nothing of such a file is taken.
var (
	ErrGzip      = fault.New(fault.Invalid, "gzip_damaged", "the gzip stream is cut off or damaged; nothing was taken, send the file again")
	ErrTooLarge  = fault.Newf(fault.TooLarge, "file_too_large", "the file has more than %d MiB when it is decompressed; split it", MaxBytes>>20)
	ErrTooMany   = fault.Newf(fault.TooLarge, "too_many_rows", "the file has more than %d rows; split it", MaxRows)
	ErrEmpty     = fault.New(fault.Invalid, "file_empty", "the file is empty; a line of column names and a row for each SKU are wanted")
	errBroken    = fault.New(fault.Invalid, "body_broken_off", "the request body broke off; nothing was taken, send the file again")
	errForeign   = fault.New(fault.Invalid, "not_csv", "this is no CSV text")
	errHeaderRow = fault.New(fault.Invalid, "bad_header", "the line of column names cannot be read as CSV")
)

// Result is one row as it was read: goods, or the faults of it.
type Result struct {
	Goods  stock.Goods
	Faults []intake.Fault
}

// File is a stock file that is being read.
type File struct {
	source  *source
	records *records
	sheet   *intake.Sheet
}

// Open reads as far as the header. Compressed says that the bytes are gzip.
func Open(r io.Reader, compressed bool) (*File, error) {
	f := &File{source: &source{from: r, sum: sha256.New()}}
	in := bufio.NewReaderSize(f.source, bufferBytes)
	if err := refuseForeign(in, compressed); err != nil {
		return nil, f.explain(err)
	}
	plain := io.Reader(in)
	if compressed {
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, f.explain(ErrGzip.Wrap(err))
		}
		plain = &inflated{from: z}
	}
	text, err := decoded(&bounded{from: plain, left: MaxBytes})
	if err != nil {
		return nil, f.explain(err)
	}
	f.records = newRecords(text)
	if err := f.readHeader(); err != nil {
		return nil, f.explain(err)
	}
	return f, nil
}

// Next returns the next row that is not blank, and io.EOF after the last. Any
// other error is about the whole file.
func (f *File) Next() (Result, error) {
	for {
		rec, err := f.records.next()
		if err != nil {
			return Result{}, f.explain(err)
		}
		if rec.row > MaxRows+1 {
			return Result{}, ErrTooMany
		}
		switch {
		case rec.overlong:
			return f.refused(rec, f.sheet.Header().Name(rec.place), tooLong(rec)), nil
		case rec.damaged:
			return f.refused(rec, "", "The row is no CSV: a cell with a quote in it stands in quotes, and the quote is doubled."), nil
		case blank(rec.cells):
			continue
		}
		goods, faults := f.sheet.Row(rec.row, rec.cells)
		return Result{Goods: goods, Faults: faults}, nil
	}
}

// SHA256 returns the hash of the bytes as they were sent. Call it after io.EOF.
func (f *File) SHA256() []byte { return f.source.sum.Sum(nil) }

func (f *File) readHeader() error {
	for {
		rec, err := f.records.next()
		switch {
		case errors.Is(err, io.EOF):
			return ErrEmpty
		case err != nil:
			return err
		case rec.overlong || rec.damaged:
			return errHeaderRow
		case rec.row > MaxRows:
			return ErrTooMany
		case blank(rec.cells):
			continue
		}
		header, err := intake.ParseHeader(rec.cells)
		if err != nil {
			return err
		}
		f.sheet = intake.NewSheet(header)
		return nil
	}
}

func (f *File) refused(rec record, column, reason string) Result {
	return Result{Faults: []intake.Fault{{Row: rec.row, Column: column, Reason: reason}}}
}

func tooLong(rec record) string {
	if rec.cellBytes > intake.MaxCellRunes {
		return intake.TooLongCell
	}
	return fmt.Sprintf("The row has more than %d KiB.", maxRecordBytes>>10)
}

// explain prefers the reason of the request's body to what followed from it: a
// body that is over the door's limit, or that broke off, looks like damaged
// gzip to the decompressor.
func (f *File) explain(err error) error {
	broken := f.source.err
	var tooLarge *http.MaxBytesError
	switch {
	case broken == nil || errors.Is(err, io.EOF):
		return err
	case errors.As(broken, &tooLarge):
		return broken
	default:
		return errBroken.Wrap(broken)
	}
}

// refuseForeign names the mistakes that would only show as strange columns.
func refuseForeign(in *bufio.Reader, compressed bool) error {
	head, err := in.Peek(4)
	if len(head) == 0 && errors.Is(err, io.EOF) {
		return ErrEmpty
	}
	gzipped := bytes.HasPrefix(head, []byte{0x1f, 0x8b})
	switch {
	case compressed && !gzipped:
		return ErrGzip
	case !compressed && gzipped:
		return withDetail(errForeign, "the file is gzip; say so with Content-Encoding: gzip")
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return withDetail(errForeign, "the file is a spreadsheet; save it as CSV (UTF-8)")
	}
	return nil
}

func withDetail(f *fault.Error, detail string) error { return fault.New(f.Kind, f.Code, detail) }

// source hashes the request's bytes and keeps the error that ended them.
type source struct {
	from io.Reader
	sum  hash.Hash
	err  error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.from.Read(p)
	_, _ = s.sum.Write(p[:n]) // never fails
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// inflated gives every error of the decompressor its kind.
type inflated struct{ from io.Reader }

func (i *inflated) Read(p []byte) (int, error) {
	n, err := i.from.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = ErrGzip.Wrap(err)
	}
	return n, err
}

// bounded stops a decompression bomb.
type bounded struct {
	from io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, ErrTooLarge
	}
	// One byte more than is left: whether there is one tells a full file from a long one.
	n, err := b.from.Read(p[:min(int64(len(p)), b.left+1)])
	b.left -= int64(n)
	if b.left < 0 {
		return 0, ErrTooLarge
	}
	return n, err
}
