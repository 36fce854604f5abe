package cli

import (
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/qingcang/qingcang/operators/campaign/internal/view"
)

// terminalSize of out; ok is false where out is none.
func terminalSize(out io.Writer) (columns, lines int, ok bool) {
	file, ok := out.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return 0, 0, false
	}
	columns, lines, err := term.GetSize(int(file.Fd()))
	return columns, lines, err == nil
}

// inkFor is colour on a terminal whose user did not say NO_COLOR (https://no-color.org).
func inkFor(out io.Writer) view.Ink {
	if _, _, ok := terminalSize(out); !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return view.Black
	}
	return view.Colour
}

// screen draws frames over each other.
type screen struct {
	out  io.Writer
	size func() (columns, lines int)
	// drawn is how many lines the last frame took.
	drawn int
}

// draw replaces the last frame. A frame that is too wide or too high is cut: lines that wrapped or
// scrolled could not be drawn over.
func (s *screen) draw(frame string) error {
	columns, height := s.size()
	lines := strings.Split(strings.TrimSuffix(frame, "\n"), "\n")
	if height > 1 && len(lines) > height-1 {
		hidden := len(lines) - (height - 2)
		lines = append(lines[:height-2:height-2], fmt.Sprintf("… %d more lines", hidden))
	}
	var text strings.Builder
	if s.drawn > 0 {
		fmt.Fprintf(&text, "\x1b[%dA", s.drawn) // up
	}
	for _, line := range lines {
		if columns > 0 {
			line = view.Clip(line, columns)
		}
		text.WriteString("\r" + line + "\x1b[K\r\n") // and clear what stood behind it
	}
	text.WriteString("\x1b[J") // and below it
	s.drawn = len(lines)
	_, err := io.WriteString(s.out, text.String())
	return err
}

// readsTerminal tells whether somebody can answer.
func readsTerminal(in io.Reader) bool {
	file, ok := in.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
