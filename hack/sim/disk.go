package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// entry is one line of the simulator's log: what a trade or a refund is from now on, or that a
// notice was confirmed.
type entry struct {
	Trade  *trade  `json:"trade,omitempty"`
	Refund *refund `json:"refund,omitempty"`
	Told   *notice `json:"told,omitempty"`
}

// disk is an append-only file of JSON lines. A killed process loses nothing that it has answered;
// a machine that loses power may.
type disk struct {
	mu   sync.Mutex
	file *os.File
}

func openDisk(dir string, restore func(entry)) (*disk, error) {
	path := filepath.Join(dir, "pay.jsonl")
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the simulator's log: %w", err)
	}
	whole := int64(0)
	lines := bufio.NewReader(file)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			break // the end, or a line that a kill cut short: it was never answered
		}
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("%s is damaged at byte %d: delete it and start again: %w", path, whole, err)
		}
		restore(e)
		whole += int64(len(line))
	}
	if err := file.Truncate(whole); err != nil {
		return nil, fmt.Errorf("cut the simulator's log: %w", err)
	}
	if _, err := file.Seek(whole, 0); err != nil {
		return nil, fmt.Errorf("open the simulator's log at its end: %w", err)
	}
	return &disk{file: file}, nil
}

func (d *disk) write(e entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode a line of the log: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write the log: %w", err)
	}
	return nil
}

func (d *disk) close() { _ = d.file.Close() }

// restore takes one line of the log in, at a start.
func (p *pay) restore(e entry) {
	if e.Trade != nil {
		old, ok := p.trades[e.Trade.OutTradeNo]
		if !ok {
			old = &trade{}
			p.trades[e.Trade.OutTradeNo], p.prepays[e.Trade.PrepayID] = old, old
		}
		if e.Trade.State == "SUCCESS" && old.State != "SUCCESS" {
			p.pending = append(p.pending, notice{Trade: e.Trade.OutTradeNo})
		}
		*old = *e.Trade
	}
	if e.Refund != nil {
		if e.Refund.State == "" { // written before there were others
			e.Refund.State, e.Refund.SettledAt = refundSuccess, e.Refund.At
		}
		p.refunds[e.Refund.OutRefundNo] = e.Refund
		if e.Refund.NotifyURL != "" {
			p.pending = append(p.pending, notice{Refund: e.Refund.OutRefundNo})
		}
	}
	if e.Told != nil {
		for i, n := range p.pending {
			if n.Trade == e.Told.Trade && n.Refund == e.Told.Refund {
				p.pending = append(p.pending[:i], p.pending[i+1:]...)
				break
			}
		}
	}
}
