package stockfile_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"github.com/qingcang/qingcang/services/brand-intake/internal/intake"
	"github.com/qingcang/qingcang/services/brand-intake/internal/stock"
	"github.com/qingcang/qingcang/services/brand-intake/internal/stockfile"
	"github.com/qingcang/qingcang/services/internal/fault"
)

const (
	english = "style_no,barcode,name,category,colour,size,tag_price,settlement_price,quantity,warehouse,season\n"
	chinese = "款号,条码,品名,品类,颜色,尺码,吊牌价,结算价,数量,仓库,季节\n"
	shirt   = "TS-22,690001,亚麻衬衫,衬衫,白,M,399.00,59.90,120,杭州一号,夏\n"
	trouser = "KZ-7,690002,羊毛裤,裤,灰,L,899,60,30,杭州一号,秋\n"
)

func read(t *testing.T, body io.Reader, compressed bool) ([]stock.Goods, []intake.Fault, error) {
	t.Helper()
	f, err := stockfile.Open(body, compressed)
	if err != nil {
		return nil, nil, err
	}
	var goods []stock.Goods
	var faults []intake.Fault
	for {
		row, err := f.Next()
		if errors.Is(err, io.EOF) {
			return goods, faults, nil
		}
		if err != nil {
			return goods, faults, err
		}
		if len(row.Faults) > 0 {
			faults = append(faults, row.Faults...)
			continue
		}
		goods = append(goods, row.Goods)
	}
}

func encoded(t *testing.T, e encoding.Encoding, s string) string {
	t.Helper()
	out, err := e.NewEncoder().String(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func zipped(t *testing.T, s string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, s); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestEncodings(t *testing.T) {
	text := chinese + shirt + trouser
	late := english + strings.Repeat("A-1,B-1,Shirt,,,,10,1,1,,\n", 4_000) + shirt
	cases := map[string]struct {
		body       string
		compressed bool
		wantLast   string
	}{
		"UTF-8 is read":                                {body: text, wantLast: "羊毛裤"},
		"UTF-8 with a byte order mark is read":         {body: "\xef\xbb\xbf" + text, wantLast: "羊毛裤"},
		"GBK is recognised":                            {body: encoded(t, simplifiedchinese.GBK, text), wantLast: "羊毛裤"},
		"GB18030 is recognised":                        {body: encoded(t, simplifiedchinese.GB18030, text), wantLast: "羊毛裤"},
		"GBK that begins after 100 KiB is recognised":  {body: encoded(t, simplifiedchinese.GBK, late), wantLast: "亚麻衬衫"},
		"UTF-8 that begins after 100 KiB is read":      {body: late, wantLast: "亚麻衬衫"},
		"gzip is read":                                 {body: string(zipped(t, text)), compressed: true, wantLast: "羊毛裤"},
		"a last line without its line feed is read":    {body: strings.TrimSuffix(text, "\n"), wantLast: "羊毛裤"},
		"line ends of Windows and blank rows are read": {body: strings.ReplaceAll(text, "\n", "\r\n") + "\r\n,,,,,,,,,,\r\n", wantLast: "羊毛裤"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			goods, faults, err := read(t, strings.NewReader(c.body), c.compressed)
			if err != nil || len(faults) > 0 {
				t.Fatalf("faults %v, error %v", faults, err)
			}
			if got := goods[len(goods)-1].Name; got != c.wantLast {
				t.Errorf("the last name is %q, want %q", got, c.wantLast)
			}
		})
	}
}

func TestBadFiles(t *testing.T) {
	whole := zipped(t, chinese+strings.Repeat(shirt, 1000))
	cases := map[string]struct {
		body       []byte
		compressed bool
		wantKind   fault.Kind
		wantCode   string
		wantNamed  string
	}{
		"an empty file":                          {body: nil, wantKind: fault.Invalid, wantCode: "file_empty"},
		"a byte order mark and nothing else":     {body: []byte("\xef\xbb\xbf"), wantKind: fault.Invalid, wantCode: "file_empty"},
		"a gzip stream that is cut off":          {body: whole[:len(whole)/2], compressed: true, wantKind: fault.Invalid, wantCode: "gzip_damaged"},
		"a gzip stream without its checksum":     {body: whole[:len(whole)-4], compressed: true, wantKind: fault.Invalid, wantCode: "gzip_damaged"},
		"a gzip stream with rubbish behind it":   {body: append(bytes.Clone(whole), "rubbish"...), compressed: true, wantKind: fault.Invalid, wantCode: "gzip_damaged"},
		"plain text that is called gzip":         {body: []byte(chinese + shirt), compressed: true, wantKind: fault.Invalid, wantCode: "gzip_damaged"},
		"gzip that is called plain text":         {body: whole, wantKind: fault.Invalid, wantCode: "not_csv"},
		"a spreadsheet that is called CSV":       {body: []byte("PK\x03\x04rest"), wantKind: fault.Invalid, wantCode: "not_csv"},
		"UTF-16":                                 {body: []byte(encoded(t, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), chinese)), wantKind: fault.Invalid, wantCode: "not_csv"},
		"a quote that is never closed":           {body: []byte(chinese + "TS-1,\"690001,x\n" + strings.Repeat(shirt, 100)), wantKind: fault.Invalid, wantCode: "quote_not_closed"},
		"a missing column, named":                {body: []byte(strings.Replace(chinese, ",结算价", "", 1) + shirt), wantKind: fault.Invalid, wantCode: "bad_header", wantNamed: "column:settlement_price"},
		"a column that stands there twice":       {body: []byte("品名," + chinese + shirt), wantKind: fault.Invalid, wantCode: "bad_header", wantNamed: "column:name"},
		"more than 200,000 rows":                 {body: []byte(english + strings.Repeat("\n", stockfile.MaxRows) + shirt + shirt), wantKind: fault.TooLarge, wantCode: "too_many_rows"},
		"a bomb of gigabytes in some kilobytes":  {body: bomb(t), compressed: true, wantKind: fault.TooLarge, wantCode: "file_too_large"},
		"a header with a quote in a bare column": {body: []byte("a\"b,c\n" + shirt), wantKind: fault.Invalid, wantCode: "bad_header"},
	}
	for name, c := range cases {
		t.Run(name+" is refused", func(t *testing.T) {
			_, _, err := read(t, bytes.NewReader(c.body), c.compressed)
			f, ok := fault.As(err)
			if !ok || f.Kind != c.wantKind || f.Code != c.wantCode {
				t.Fatalf("got %v, want %s %s", err, c.wantKind, c.wantCode)
			}
			if c.wantNamed != "" && (len(f.Fields) != 1 || f.Fields[0].Pointer != c.wantNamed) {
				t.Errorf("got %v, want %s alone", f.Fields, c.wantNamed)
			}
		})
	}
}

// bomb is 300 MiB of zeros behind a good header.
func bomb(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(z, english)
	zeros := make([]byte, 1<<20)
	for range 300 {
		if _, err := z.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestBadRows(t *testing.T) {
	cases := map[string]struct {
		row        string
		wantColumn string
		wantReason string
	}{
		"a cell of 513 characters": {row: "TS-1,690001," + strings.Repeat("字", 513) + ",,,,10,1,1,,", wantColumn: "品名", wantReason: "more than 512 characters"},
		"a cell of ten million characters": {
			row: "TS-1,690001," + strings.Repeat("x", 10_000_000) + ",,,,10,1,1,,", wantColumn: "品名", wantReason: "more than 512 characters",
		},
		"a quoted cell of ten million characters with line feeds": {
			row: "TS-1,690001,\"" + strings.Repeat("x,\n\"\"", 2_000_000) + "\",,,,10,1,1,,", wantColumn: "品名", wantReason: "more than 512 characters",
		},
		"a row of many small cells":  {row: strings.Repeat("a,", 50_000), wantColumn: "", wantReason: "more than 64 KiB"},
		"a quote in a bare cell":     {row: "TS-1,690001,5\" heel,,,,10,1,1,,", wantColumn: "", wantReason: "no CSV"},
		"a quote behind a quoted":    {row: "TS-1,690001,\"a\"b,,,,10,1,1,,", wantColumn: "", wantReason: "no CSV"},
		"bytes that are no text":     {row: "TS-1,690001,\xff\xff,,,,10,1,1,,", wantColumn: "品名", wantReason: "neither UTF-8 nor GB18030"},
		"a formula in a name":        {row: "TS-1,690001,=1+1,,,,10,1,1,,", wantColumn: "品名", wantReason: "formula"},
		"a formula in a wide letter": {row: "TS-1,690001,＝1+1,,,,10,1,1,,", wantColumn: "品名", wantReason: "formula"},
	}
	for name, c := range cases {
		t.Run(name+" is a fault of its row, and the rows around it are taken", func(t *testing.T) {
			goods, faults, err := read(t, strings.NewReader(chinese+shirt+c.row+"\n"+trouser), false)
			if err != nil {
				t.Fatal(err)
			}
			if len(goods) != 2 {
				t.Errorf("took %d rows, want the 2 good ones", len(goods))
			}
			if len(faults) != 1 || faults[0].Row != 3 || faults[0].Column != c.wantColumn || !strings.Contains(faults[0].Reason, c.wantReason) {
				t.Errorf("got %v, want row 3, column %q, reason with %q", faults, c.wantColumn, c.wantReason)
			}
		})
	}
}

// endless is a stock file in which every row is new and one cell is huge.
type endless struct {
	rows, row int
	rest      []byte
}

func (e *endless) Read(p []byte) (int, error) {
	if len(e.rest) == 0 {
		switch {
		case e.row == 0:
			e.rest = []byte(english)
		case e.row > e.rows:
			return 0, io.EOF
		case e.row == 10:
			e.rest = []byte("A-1,B-1," + strings.Repeat("x", 10_000_000) + "\n")
		default:
			e.rest = fmt.Appendf(nil, "A-1,B-%d,%s,,,,10,1,1,,\n", e.row, strings.Repeat("n", 180))
		}
		e.row++
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

func TestMemoryStaysFlat(t *testing.T) {
	f, err := stockfile.Open(&endless{rows: 150_000}, false)
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	rows := 0
	for {
		_, err := f.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		rows++
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if rows != 150_000 {
		t.Errorf("read %d rows, want 150000", rows)
	}
	// The file has 40 MiB; what stays is a barcode and a hash for each row.
	if held := int64(after.HeapAlloc) - int64(before.HeapAlloc); held > 24<<20 {
		t.Errorf("%d MiB stay in memory, want at most 24", held>>20)
	}
	runtime.KeepAlive(f)
}
