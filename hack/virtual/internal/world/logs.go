package world

import (
	"context"
	"log/slog"
	"strings"
	"sync"
)

// Logs keeps what the replicas complain about: warnings and errors.
type Logs struct {
	mu    *sync.Mutex
	lines *[]string
	with  string
}

// NewLogs returns an empty book.
func NewLogs() *Logs { return &Logs{mu: &sync.Mutex{}, lines: &[]string{}} }

// Enabled implements slog.Handler.
func (*Logs) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

// Handle implements slog.Handler.
func (l *Logs) Handle(_ context.Context, r slog.Record) error {
	var line strings.Builder
	line.WriteString(r.Time.Format("15:04:05.000 ") + r.Level.String() + " " + r.Message + l.with)
	r.Attrs(func(a slog.Attr) bool { line.WriteString(" " + a.String()); return true })
	if r.Message == "request failed" {
		return nil // the caller was told
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	*l.lines = append(*l.lines, line.String())
	return nil
}

// WithAttrs implements slog.Handler.
func (l *Logs) WithAttrs(attrs []slog.Attr) slog.Handler {
	more := *l
	for _, a := range attrs {
		more.with += " " + a.String()
	}
	return &more
}

// WithGroup implements slog.Handler; nobody uses groups here.
func (l *Logs) WithGroup(string) slog.Handler { return l }

// Count is how many lines have all the words.
func (l *Logs) Count(words ...string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range *l.lines {
		all := true
		for _, word := range words {
			all = all && strings.Contains(line, word)
		}
		if all {
			n++
		}
	}
	return n
}

// mostShown is how many lines are enough to understand a failure.
const mostShown = 100

// String is the beginning of it, for a test that failed.
func (l *Logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join((*l.lines)[:min(mostShown, len(*l.lines))], "\n")
}
