package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/qingcang/qingcang/operators/campaign/internal/view"
)

// The size of a recording made without a terminal.
const (
	recordColumns = 100
	recordLines   = 24
)

// cast writes what is drawn as an asciicast of version 2, which `asciinema play` shows:
// https://docs.asciinema.org/manual/asciicast/v2/
type cast struct {
	to      *json.Encoder
	beside  io.Writer
	started time.Time
	now     func() time.Time
}

func newCast(to, beside io.Writer, now func() time.Time) (*cast, error) {
	c := &cast{to: json.NewEncoder(to), beside: beside, started: now(), now: now}
	c.to.SetEscapeHTML(false)
	head := map[string]any{
		"version": 2, "width": recordColumns, "height": recordLines,
		"timestamp": c.started.Unix(), "title": "kubectl qingcang get campaign -w",
	}
	return c, c.to.Encode(head)
}

// Write records what is drawn and draws it.
func (c *cast) Write(text []byte) (int, error) {
	event := []any{c.now().Sub(c.started).Seconds(), "o", string(text)}
	if err := c.to.Encode(event); err != nil {
		return 0, fmt.Errorf("record: %w", err)
	}
	return c.beside.Write(text)
}

// recorded draws in place whatever out is, and keeps what it draws in a file.
func recorded(out io.Writer, path string) (show presenter, done func(), err error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, nil, fmt.Errorf("record: %w", err)
	}
	c, err := newCast(file, out, time.Now)
	if err != nil {
		return nil, nil, fmt.Errorf("record: %w", err)
	}
	size := func() (int, int) { return recordColumns, recordLines }
	// A recording that cannot be closed has lost at most its last frame.
	return onScreen(&screen{out: c, size: size}, view.Colour), func() { _ = file.Close() }, nil
}
