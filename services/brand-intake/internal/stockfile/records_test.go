package stockfile

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// cellText has what makes CSV hard.
var cellText = rapid.StringOfN(rapid.SampledFrom([]rune("ab ,\"\n长")), 0, 12, -1)

// TestWhatIsWrittenIsRead holds the cutter against encoding/csv: of any table
// that it writes, every row comes back, and no row ends early or late.
func TestWhatIsWrittenIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.SliceOfN(cellText, 2, 5), 0, 20).Draw(t, "rows")
		var file bytes.Buffer
		w := csv.NewWriter(&file)
		w.UseCRLF = rapid.Bool().Draw(t, "windows")
		if err := w.WriteAll(rows); err != nil {
			t.Fatal(err)
		}
		r := newRecords(&file)
		for n, want := range rows {
			got, err := r.next()
			if err != nil || got.damaged || got.overlong {
				t.Fatalf("row %d: %+v, %v", n, got, err)
			}
			if !slices.Equal(got.cells, want) {
				t.Fatalf("row %d: got %q, want %q", n, got.cells, want)
			}
		}
		if _, err := r.next(); !errors.Is(err, io.EOF) {
			t.Fatalf("behind the last row: %v, want the end", err)
		}
	})
}

// TestADamagedRowHarmsNoOther puts rows that are no CSV between good ones.
func TestADamagedRowHarmsNoOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var file bytes.Buffer
		var good []bool
		for range rapid.IntRange(1, 20).Draw(t, "rows") {
			ok := rapid.Bool().Draw(t, "good")
			good = append(good, ok)
			if ok {
				file.WriteString("x,\"y,\n\"\"z\",w\n")
			} else {
				file.WriteString(rapid.SampledFrom([]string{"a\"b,c\n", "\"a\"b,c\n", "a,\"b\" ,c\n"}).Draw(t, "damage"))
			}
		}
		r := newRecords(&file)
		for n, ok := range good {
			got, err := r.next()
			if err != nil || got.row != int64(n+1) || got.damaged == ok {
				t.Fatalf("row %d: %+v, %v; good is %v", n+1, got, err, ok)
			}
			if ok && !slices.Equal(got.cells, []string{"x", "y,\n\"z", "w"}) {
				t.Fatalf("row %d: %q", n+1, got.cells)
			}
		}
	})
}

// FuzzFile reads anything to its end without a panic, and never more rows than
// lines.
func FuzzFile(f *testing.F) {
	f.Add([]byte("款号,条码\n\"a\"\"b\",c\r\n"), false)
	f.Add([]byte("\x1f\x8b\x08\x00"), true)
	f.Add([]byte("\xb0\xa1,\xff\n"), false)
	f.Fuzz(func(t *testing.T, content []byte, compressed bool) {
		file, err := Open(bytes.NewReader(content), compressed)
		for rows := 0; err == nil; rows++ {
			if !compressed && rows > bytes.Count(content, []byte("\n"))+1 {
				t.Fatalf("%d rows of %d lines", rows, bytes.Count(content, []byte("\n"))+1)
			}
			_, err = file.Next()
		}
	})
}
