package view

import (
	"golang.org/x/text/width"
)

// Tone is how a piece of text is meant.
type Tone int

// The tones.
const (
	Plain Tone = iota
	Bold
	Good
	Doubtful
	Bad
)

// Ink paints tones, or leaves text as it is.
type Ink bool

// The inks.
const (
	Black  Ink = false
	Colour Ink = true
)

// Codes of ECMA-48, which every terminal in use knows.
var codes = map[Tone]string{Bold: "\x1b[1m", Good: "\x1b[32m", Doubtful: "\x1b[33m", Bad: "\x1b[31m"}

func (i Ink) paint(t Tone, text string) string {
	code := codes[t]
	if !bool(i) || code == "" || text == "" {
		return text
	}
	return code + text + reset
}

// columns is how many columns of a terminal a text without codes takes: a Chinese character takes two.
func columns(text string) (n int) {
	for _, r := range text {
		n += runeColumns(r)
	}
	return n
}

func runeColumns(r rune) int {
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	default:
		return 1
	}
}

// reset ends a colour.
const reset = "\x1b[0m"

// Clip cuts a line, codes of colour not counted, to so many columns.
func Clip(line string, most int) string {
	used, inCode, end := 0, false, ""
	for i, r := range line {
		switch {
		case r == '\x1b':
			inCode, end = true, reset
		case inCode:
			inCode = r != 'm'
		default:
			if used += runeColumns(r); used > most {
				return line[:i] + end
			}
		}
	}
	return line
}
