package stockfile

import (
	"encoding/csv"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
)

// Columns is the header of a stock file.
var Columns = []string{"style_no", "barcode", "name", "category", "colour", "size", "tag_price", "settlement_price", "quantity", "warehouse", "season"}

// Row is one SKU of a stock file. Prices are fen.
type Row struct {
	StyleNo, Barcode, Name, Category, Colour, Size string
	TagPriceFen, SettlementFen, Units              int64
	Warehouse, Season                              string
}

// Generate makes the SKUs of styles: the same styles and seed give the same rows.
func Generate(styles []Style, seed uint64) []Row {
	random := rand.New(rand.NewPCG(seed, 0x71696e67)) // repeatable on purpose
	warehouses := []string{"杭州一仓", "广州二仓", "嘉兴仓"}
	var out []Row
	for _, style := range styles {
		low, high := priceRange(style)
		tag := (low + random.Int64N(high-low+1)) * 100     // whole yuan
		settlement := tag * (12 + random.Int64N(14)) / 100 // clearance: 12% to 25% of the tag
		warehouse := warehouses[random.IntN(len(warehouses))]
		for i, size := range sizes(style) {
			out = append(out, Row{
				StyleNo: "QC" + style.ID, Barcode: barcode(style.ID, i), Name: style.Name, Category: style.ArticleType,
				Colour: style.Colour, Size: size, TagPriceFen: tag, SettlementFen: settlement,
				Units: 5 + random.Int64N(60), Warehouse: warehouse, Season: strings.TrimSpace(style.Season + " " + style.Year),
			})
		}
	}
	return out
}

// priceRange is the tag price in yuan.
func priceRange(s Style) (low, high int64) {
	switch s.MasterCategory {
	case "Footwear":
		return 299, 1299
	case "Accessories":
		return 99, 899
	case "Apparel":
		return 199, 1599
	default:
		return 59, 399
	}
}

func sizes(s Style) []string {
	switch s.MasterCategory {
	case "Apparel":
		return []string{"S", "M", "L", "XL"}
	case "Footwear":
		return []string{"38", "39", "40", "41", "42"}
	default:
		return []string{"均码"}
	}
}

// barcode is an EAN-13 in the range of China (690): style id, size, check digit.
func barcode(id string, size int) string {
	number, err := strconv.ParseUint(id, 10, 32)
	if err != nil {
		number = 0
		for _, r := range id {
			number = number*31 + uint64(r)
		}
	}
	digits := fmt.Sprintf("690%07d%02d", number%10_000_000, size%100)
	sum := 0
	for i, d := range digits {
		weight := 1
		if i%2 == 1 {
			weight = 3
		}
		sum += int(d-'0') * weight
	}
	return digits + strconv.Itoa((10-sum%10)%10)
}

// Write writes a stock file.
func Write(w io.Writer, rows []Row) error {
	out := csv.NewWriter(w)
	if err := out.Write(Columns); err != nil {
		return fmt.Errorf("write the stock file: %w", err)
	}
	for _, r := range rows {
		err := out.Write([]string{
			r.StyleNo, r.Barcode, r.Name, r.Category, r.Colour, r.Size,
			Yuan(r.TagPriceFen), Yuan(r.SettlementFen), strconv.FormatInt(r.Units, 10), r.Warehouse, r.Season,
		})
		if err != nil {
			return fmt.Errorf("write the stock file: %w", err)
		}
	}
	out.Flush()
	return out.Error()
}

// Yuan writes fen as yuan with two decimals.
func Yuan(fen int64) string { return fmt.Sprintf("%d.%02d", fen/100, fen%100) }
