package field

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

// Told reports whether the order service has confirmed WeChat Pay's notice of a payment. The
// simulator writes that into its log.
func (f *Field) Told(paymentID string) (bool, error) {
	file, err := os.Open(f.path("sim", "pay.jsonl"))
	if err != nil {
		return false, fmt.Errorf("read the log of WeChat Pay: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var line struct{ Told struct{ Trade string } }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Told.Trade == paymentID { // the last line may be half written
			return true, nil
		}
	}
	return false, lines.Err()
}
