package intake

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// isFormula reports whether a spreadsheet would compute the cell. Such a cell
// is refused and not rewritten: what the brand approved must be what it sent,
// and statements and exports carry the text back into spreadsheets. A lone sign
// is not a formula; brands write "-" for nothing. The wide forms count, because
// a Chinese input method types them and spreadsheets take them.
func isFormula(cell string) bool {
	first, size := utf8.DecodeRuneInString(cell)
	return strings.ContainsRune("=+-@＝＋－＠", first) && len(cell) > size
}

// hasControl reports characters that show as something else than they are:
// controls, and marks that turn the direction of the text around.
func hasControl(cell string) bool {
	return strings.ContainsFunc(cell, func(r rune) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r)
	})
}
