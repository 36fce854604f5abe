package stockfile

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/transform"
)

// sniffBytes is how much text, from the first byte that is not ASCII, decides
// between UTF-8 and GB18030. Some dozens of Chinese characters in GB18030 are
// never valid UTF-8 by chance.
const sniffBytes = 16 << 10

// decoded returns the text of r as UTF-8, without its mark. What looks like
// UTF-8 is UTF-8; else it is GB18030, of which GBK and GB2312 are parts. Bytes
// that are neither come out invalid, or as U+FFFD, and are refused in their row.
func decoded(r io.Reader) (io.Reader, error) {
	in := bufio.NewReaderSize(r, bufferBytes)
	head, err := in.Peek(3)
	switch {
	case len(head) == 0 && err != nil:
		if errors.Is(err, io.EOF) {
			return nil, ErrEmpty
		}
		return nil, err
	case bytes.Equal(head, []byte("\xef\xbb\xbf")):
		_, err := in.Discard(len(head))
		return in, err
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}), bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return nil, withDetail(errForeign, "the file is UTF-16; save it as CSV (UTF-8)")
	}
	return &undecided{in: in}, nil
}

// undecided passes ASCII on and decides at the first byte that is not.
type undecided struct {
	in   *bufio.Reader
	text io.Reader
}

func (u *undecided) Read(p []byte) (int, error) {
	if u.text != nil {
		return u.text.Read(p)
	}
	if _, err := u.in.Peek(1); err != nil {
		return 0, err
	}
	buffered, _ := u.in.Peek(min(u.in.Buffered(), len(p))) // cannot fail: it is there
	ascii := bytes.IndexFunc(buffered, func(r rune) bool { return r >= utf8.RuneSelf })
	switch {
	case ascii < 0:
		ascii = len(buffered)
	case ascii == 0:
		u.decide()
		return u.text.Read(p)
	}
	return u.in.Read(p[:ascii])
}

func (u *undecided) decide() {
	window, _ := u.in.Peek(sniffBytes) // a shorter file has less; a broken one fails at its next read
	if looksUTF8(window) {
		u.text = u.in
		return
	}
	u.text = transform.NewReader(u.in, simplifiedchinese.GB18030.NewDecoder())
}

// looksUTF8 reports whether characters that are valid UTF-8 outnumber bytes that
// are not. One stray byte in a UTF-8 file is then a fault of its row; Chinese
// text in GB18030 has some four bad bytes for each accidental character.
func looksUTF8(window []byte) bool {
	valid, bad := 0, 0
	for len(window) > 0 && utf8.FullRune(window) { // the window may have cut the last character
		r, size := utf8.DecodeRune(window)
		switch {
		case r == utf8.RuneError && size == 1:
			bad++
		case size > 1:
			valid++
		}
		window = window[size:]
	}
	return valid > bad
}
