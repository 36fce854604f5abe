// Package stockfile makes brands' stock files from a list of fashion styles: what a style is called
// is real, what it costs and how much of it is left comes from a seeded generator.
package stockfile

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// Style is one article as the list has it.
type Style struct {
	ID, Name, MasterCategory, ArticleType, Colour, Season, Year string
}

// maxStyles bounds how much of a list is read.
const maxStyles = 200_000

// ReadStyles reads a list of styles, plain or gzipped: a CSV with the columns id, name,
// masterCategory, articleType, baseColour, season and year, in any order, among others. Rows
// without an id or a name are left out.
func ReadStyles(path string) ([]Style, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the styles: %w", err)
	}
	defer func() { _ = file.Close() }() // only read
	buffered := bufio.NewReader(file)
	var input io.Reader = buffered
	if magic, err := buffered.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		if input, err = gzip.NewReader(buffered); err != nil {
			return nil, fmt.Errorf("unpack the styles: %w", err)
		}
	}
	return parseStyles(input)
}

func parseStyles(input io.Reader) ([]Style, error) {
	rows := csv.NewReader(input)
	rows.ReuseRecord, rows.FieldsPerRecord = true, -1
	header, err := rows.Read()
	if err != nil {
		return nil, fmt.Errorf("read the header of the styles: %w", err)
	}
	at := map[string]int{}
	for _, column := range []string{"id", "name", "masterCategory", "articleType", "baseColour", "season", "year"} {
		if at[column] = slices.Index(header, column); at[column] < 0 {
			return nil, fmt.Errorf("the styles have no column %q", column)
		}
	}
	var out []Style
	for len(out) < maxStyles {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read the styles: %w", err)
		}
		cell := func(column string) string {
			if i := at[column]; i < len(row) {
				return row[i]
			}
			return ""
		}
		style := Style{
			ID: cell("id"), Name: cell("name"), MasterCategory: cell("masterCategory"), ArticleType: cell("articleType"),
			Colour: cell("baseColour"), Season: cell("season"), Year: cell("year"),
		}
		if style.ID != "" && style.Name != "" {
			out = append(out, style)
		}
	}
	return out, nil
}
