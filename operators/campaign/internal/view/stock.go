package view

import (
	"fmt"
	"strconv"
	"strings"
)

// barCells is the width of a bar.
const barCells = 24

// text is what is sold, held and left, and a bar of it, which comes last because a narrow terminal cuts it.
func (s Stock) text() string {
	if s.Units == 0 {
		return "none allocated"
	}
	return fmt.Sprintf("%s sold, %s held, %s left of %s  %s",
		thousands(s.Sold), thousands(s.Held), thousands(s.Left), thousands(s.Units), s.bar())
}

// bar gives each part that is not empty one cell, and shares the others out by size; what rounding leaves
// goes to the largest. It rests on the parts alone: a status may say that they come to more than Units.
func (s Stock) bar() string {
	parts := []int64{s.Sold, s.Held, s.Left}
	cells := make([]int, len(parts))
	largest, spare, whole := len(parts)-1, barCells, int64(0)
	for i, part := range parts {
		whole += part
		if part > 0 {
			cells[i], spare = 1, spare-1
		}
		if part > parts[largest] {
			largest = i
		}
	}
	left := spare
	for i, part := range parts {
		share := int(part * int64(spare) / max(whole, 1))
		cells[i], left = cells[i]+share, left-share
	}
	cells[largest] += left
	return strings.Repeat("█", cells[0]) + strings.Repeat("▒", cells[1]) + strings.Repeat("░", cells[2])
}

// thousands writes a number with a comma at every third digit.
func thousands(n int64) string {
	digits := strconv.FormatInt(n, 10)
	start := 0
	if n < 0 {
		start = 1
	}
	for i := len(digits) - 3; i > start; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
