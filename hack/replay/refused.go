package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/qingcang/qingcang/hack/internal/retail"
)

// shownRefusals bounds how many refused rows are told one by one.
const shownRefusals = 20

// tellRefused says which rows are refused and why: the first ones here, all of them in the file at
// path unless it is empty.
func tellRefused(out io.Writer, f *retail.File, path string) error {
	_, _ = fmt.Fprintf(out, "%d rows: %d sales, %d returns, %d refused\n", f.Rows, f.Sales(), f.Returns(), len(f.Refused))
	for i, r := range f.Refused {
		if i == shownRefusals {
			_, _ = fmt.Fprintf(out, "  … and %d more; -refused FILE writes all of them\n", len(f.Refused)-i)
			break
		}
		_, _ = fmt.Fprintf(out, "  row %d: %s\n", r.Row, r.Reason)
	}
	if path == "" {
		return nil
	}
	return writeRefused(f.Refused, path)
}

func writeRefused(all []retail.Refusal, path string) error {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write the refused rows: %w", err)
	}
	rows := csv.NewWriter(file)
	_ = rows.Write([]string{"row", "reason"}) // Flush keeps the error
	for _, r := range all {
		_ = rows.Write([]string{strconv.Itoa(r.Row), r.Reason})
	}
	rows.Flush()
	if err := rows.Error(); err != nil {
		_ = file.Close() // the first error counts
		return fmt.Errorf("write the refused rows: %w", err)
	}
	return file.Close()
}
