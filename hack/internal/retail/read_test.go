package retail

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"
)

const head = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"

func TestRows(t *testing.T) {
	tests := map[string]struct {
		row  string
		want string // part of the refusal; empty: accepted
	}{
		"a sale is accepted":                                 {"536365,85123A,HEART,6,2010-12-01T08:26,2.55,17850,UK", ""},
		"a guest has no customer id":                         {"536365,85123A,HEART,6,2010-12-01T08:26,2.55,,UK", ""},
		"an empty description is no fault":                   {"536365,85123A,,6,2010-12-01T08:26,2.55,17850,", ""},
		"a code is upper-cased":                              {"536365,85123a,HEART,6,2010-12-01T08:26,2.55,17850,UK", ""},
		"a description may have a stray quote":               {`536365,85123A,12" HEART,6,2010-12-01T08:26,2.55,17850,UK`, ""},
		"a return has a C invoice and a negative quantity":   {"C536365,85123A,HEART,-6,2010-12-01T08:26,2.55,17850,UK", ""},
		"postage is no goods":                                {"536365,POST,POSTAGE,6,2010-12-01T08:26,2.55,17850,UK", `"POST" is no goods`},
		"three letters behind the digits are no goods":       {"536365,85123ABC,HEART,6,2010-12-01T08:26,2.55,17850,UK", "is no goods"},
		"an empty code is no goods":                          {"536365,,HEART,6,2010-12-01T08:26,2.55,17850,UK", "is no goods"},
		"a price of 0 is no sale":                            {"536365,85123A,HEART,6,2010-12-01T08:26,0,17850,UK", "not above 0"},
		"a negative price is no sale":                        {"536365,85123A,HEART,6,2010-12-01T08:26,-1.5,17850,UK", "not above 0"},
		"a price with a comma cannot be read":                {`536365,85123A,HEART,6,2010-12-01T08:26,"2,55",17850,UK`, "UnitPrice"},
		"a price with an exponent cannot be read":            {"536365,85123A,HEART,6,2010-12-01T08:26,1e3,17850,UK", "UnitPrice"},
		"an empty price cannot be read":                      {"536365,85123A,HEART,6,2010-12-01T08:26,,17850,UK", "UnitPrice"},
		"no campaign takes such a price":                     {"536365,85123A,HEART,6,2010-12-01T08:26,100000.01,17850,UK", "above 100000"},
		"a quantity of 0 is no sale":                         {"536365,85123A,HEART,0,2010-12-01T08:26,2.55,17850,UK", "Quantity is 0"},
		"a quantity with a fraction cannot be read":          {"536365,85123A,HEART,1.5,2010-12-01T08:26,2.55,17850,UK", "no whole number"},
		"a negative quantity without a C invoice is refused": {"536365,85123A,HEART,-6,2010-12-01T08:26,2.55,17850,UK", "no C invoice"},
		"a C invoice with a positive quantity is refused":    {"C536365,85123A,HEART,6,2010-12-01T08:26,2.55,17850,UK", "positive on a C invoice"},
		"nobody orders two million":                          {"536365,85123A,HEART,2000000,2010-12-01T08:26,2.55,17850,UK", "beyond"},
		"a day that does not exist cannot be read":           {"536365,85123A,HEART,6,2010-13-01T08:26,2.55,17850,UK", "InvoiceDate"},
		"an empty invoice number is refused":                 {",85123A,HEART,6,2010-12-01T08:26,2.55,17850,UK", "InvoiceNo"},
		"a row that is too short cannot be read":             {"536365,85123A,HEART", "Quantity"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f, err := Read(strings.NewReader(head + tt.row + "\n"))
			if err != nil {
				t.Fatal(err)
			}
			if f.Rows != 1 || len(f.Accepted)+len(f.Refused) != 1 {
				t.Fatalf("got %+v", f)
			}
			if tt.want == "" && (len(f.Accepted) != 1 || f.Accepted[0].SKU != "85123A" || f.Accepted[0].Units != 6) {
				t.Errorf("not accepted: %+v", f)
			}
			if tt.want != "" && (len(f.Refused) != 1 || f.Refused[0].Row != 2 || !strings.Contains(f.Refused[0].Reason, tt.want)) {
				t.Errorf("want a refusal with %q of row 2, got %+v", tt.want, f)
			}
		})
	}
}

func TestFiles(t *testing.T) {
	const row = "536365,85123A,HEART,6,2010-12-01T08:26,2.55,17850,UK\n"
	packed := pack(t, head+strings.Repeat(row, 1000))
	tests := map[string]struct {
		file string
		rows int
		want string // part of the error
	}{
		"plain":                         {head + row, 1, ""},
		"gzipped":                       {packed, 1000, ""},
		"with a byte order mark":        {"\ufeff" + head + row, 1, ""},
		"with columns in another order": {"Country,CustomerID,UnitPrice,InvoiceDate,Quantity,StockCode,InvoiceNo\nUK,17850,2.55,2010-12-01 08:26:00,6,85123A,536365\n", 1, ""},
		"with Windows line ends":        {strings.ReplaceAll(head+row, "\n", "\r\n"), 1, ""},
		"with a cell of ten million":    {head + strings.Replace(row, "HEART", strings.Repeat("x", 10_000_000), 1), 1, ""},
		"without a column":              {strings.Replace(head, "UnitPrice", "Price", 1) + row, 0, "no column UnitPrice"},
		"empty":                         {"", 0, "empty"},
		"a gzip that was cut off":       {packed[:len(packed)/2], 0, "cut off"},
		"a gzip that was changed":       {packed[:len(packed)-6] + "\x00\x00" + packed[len(packed)-4:], 0, "damaged"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f, err := Read(strings.NewReader(tt.file))
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("want an error with %q, got %v", tt.want, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if f.Rows != tt.rows || len(f.Accepted) != tt.rows {
				t.Errorf("want %d rows, got %d, accepted %d: %v", tt.rows, f.Rows, len(f.Accepted), f.Refused)
			}
		})
	}
}

func pack(t *testing.T, text string) string {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}
