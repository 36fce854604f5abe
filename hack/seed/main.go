// Command seed makes a brand's stock file from a list of fashion styles, for POST
// /v1/brands/{brandId}/submissions. Names, colours and seasons are the list's; prices, sizes and
// quantities come from a seeded generator: the same list and seed give the same file.
//
//	go run ./hack/seed -styles fashion-styles.csv.gz -seed 7 -limit 200 > stock.csv
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/qingcang/qingcang/hack/internal/stockfile"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "seed:", err)
		os.Exit(1)
	}
}

func run() error {
	path := flag.String("styles", "", "CSV `file` of styles, plain or gzipped")
	seed := flag.Uint64("seed", 1, "what the generator begins with")
	limit := flag.Int("limit", 0, "how many styles to take at the most; 0 takes all")
	brand := flag.String("brand", "", "take only styles whose name begins with this")
	flag.Parse()
	if *path == "" {
		return errors.New("-styles is needed: a CSV with id, name, masterCategory, articleType, baseColour, season, year")
	}
	styles, err := stockfile.ReadStyles(*path)
	if err != nil {
		return err
	}
	var taken []stockfile.Style
	for _, s := range styles {
		if strings.HasPrefix(s.Name, *brand) && (*limit == 0 || len(taken) < *limit) {
			taken = append(taken, s)
		}
	}
	out := bufio.NewWriter(os.Stdout)
	if err := stockfile.Write(out, stockfile.Generate(taken, *seed)); err != nil {
		return err
	}
	return out.Flush()
}
