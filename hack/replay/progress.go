package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// progress shows on standard error how far the replay is: a bar on a terminal, lines elsewhere.
type progress struct {
	total   int
	began   time.Time
	now     atomic.Value // string: what is being done
	begun   atomic.Int64 // orders dispatched
	done    atomic.Int64 // orders answered
	taken   atomic.Int64 // orders accepted and paid
	shipped atomic.Int64 // orders signed for
	bar     bool
	out     io.Writer
}

const (
	barWidth     = 30
	barInterval  = 200 * time.Millisecond
	lineInterval = 15 * time.Second
)

func newProgress(total int) *progress {
	p := &progress{total: total, began: time.Now(), out: os.Stderr}
	p.now.Store("")
	if info, err := os.Stderr.Stat(); err == nil {
		p.bar = info.Mode()&os.ModeCharDevice != 0
	}
	return p
}

func (p *progress) phase(name string) { p.now.Store(name) }

// started counts an order or a return that goes out, and returns how many went out before.
func (p *progress) started() int { return int(p.begun.Add(1)) - 1 }

func (p *progress) finished() { p.done.Add(1) }

func (p *progress) accepted() { p.taken.Add(1) }

func (p *progress) delivered() { p.shipped.Add(1) }

// show draws until the returned function is called.
func (p *progress) show() (stop func()) {
	interval := lineInterval
	if p.bar {
		interval = barInterval
	}
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				p.draw()
			case <-quit:
				p.draw()
				if p.bar {
					_, _ = fmt.Fprintln(p.out)
				}
				return
			}
		}
	}()
	return func() { close(quit); <-done }
}

func (p *progress) draw() {
	done := int(p.done.Load())
	text := fmt.Sprintf("%d of %d orders, %d accepted, %d delivered, %.0f s, %s",
		done, p.total, p.taken.Load(), p.shipped.Load(), time.Since(p.began).Seconds(), p.now.Load())
	if !p.bar {
		_, _ = fmt.Fprintln(p.out, " ", text)
		return
	}
	filled := barWidth * done / max(p.total, 1)
	_, _ = fmt.Fprintf(p.out, "\r[%s%s] %s\x1b[K", strings.Repeat("=", filled), strings.Repeat(" ", barWidth-filled), text)
}
