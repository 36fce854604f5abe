package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/qingcang/qingcang/hack/siege/internal/field"
)

// flood sends orders to one replica, over connections of its own: requests are rendered before the clock starts,
// because it shares the machine with what it floods.
type flood struct {
	*siege
	templates []template
	sent      uint64 // over all runs: every order has a key of its own

	mu     sync.Mutex
	placed []string
}

// template is one buyer's request; the digits of its key are overwritten.
type template struct {
	address string
	request []byte
	digits  int
}

// keyDigits stand at the end of a key; noKey holds their place.
const keyDigits = 16

var noKey = fmt.Sprintf("flooding%0*d", keyDigits, 0)

func (s *siege) flood(sale field.Sale) (*flood, error) {
	f := &flood{siege: s}
	buyers, err := s.Shop.Buyers("flood", 2_000)
	if err != nil {
		return nil, err
	}
	for _, b := range buyers {
		request, err := s.Request(field.ReplicaA, field.Intent{Buyer: b, Key: noKey, Campaign: sale.UID, Units: 1})
		if err != nil {
			return nil, err
		}
		rendered, err := httputil.DumpRequestOut(request, true)
		if err != nil {
			return nil, fmt.Errorf("render an order: %w", err)
		}
		at := bytes.Index(rendered, []byte(noKey))
		f.templates = append(f.templates, template{request.URL.Host, rendered, at + len(noKey) - keyDigits})
	}
	return f, nil
}

// tally is what came of a run.
type tally struct {
	took time.Duration
	// admitted are the latencies of the 201s from the intended start, refused those of the 429s from
	// when they were sent.
	admitted, refused []time.Duration
	// others are answers of another status; those that got none count as 0.
	others map[int]int
	// admittedLate and refusedLate are the shares that took the replicas too long, by their own measure.
	admittedLate, refusedLate float64
	// unsent found no free connection before the run was over.
	unsent int
}

func (t *tally) String() string {
	return fmt.Sprintf("%.0f/s admitted, p99 %d ms; %.0f/s refused, p99 %d ms; late in the replicas %.2f%% and %.2f%%; %d found no connection; others %v",
		t.rate(), p99(t.admitted).Milliseconds(), float64(len(t.refused))/t.took.Seconds(), p99(t.refused).Milliseconds(),
		100*t.admittedLate, 100*t.refusedLate, t.unsent, t.others)
}

// rate is what was admitted a second.
func (t *tally) rate() float64 { return float64(len(t.admitted)) / t.took.Seconds() }

func p99(latencies []time.Duration) time.Duration {
	if len(latencies) == 0 {
		return 0
	}
	slices.Sort(latencies)
	return latencies[len(latencies)*99/100]
}

// arrival is one intended order.
type arrival struct {
	n  uint64
	at time.Time
}

// run sends orders over so many connections: rate a second at random times, whatever becomes of those
// before; with a rate of 0, one after the other on each connection.
func (f *flood) run(ctx context.Context, connections int, rate float64, span time.Duration) (*tally, error) {
	total := &tally{others: map[int]int{}}
	due := make(chan arrival, connections)
	started := time.Now()
	var pumps sync.WaitGroup
	for range connections {
		pumps.Go(func() {
			p := &pump{flood: f, tally: &tally{others: map[int]int{}}}
			p.run(ctx, due)
			f.mu.Lock()
			defer f.mu.Unlock()
			f.placed = append(f.placed, p.placed...)
			total.admitted = append(total.admitted, p.tally.admitted...)
			total.refused = append(total.refused, p.tally.refused...)
			for status, n := range p.tally.others {
				total.others[status] += n
			}
		})
	}
	total.unsent = f.schedule(ctx, due, rate, started, span)
	close(due)
	pumps.Wait()
	total.took = time.Since(started)
	return total, ctx.Err()
}

// schedule sends the arrivals when they are due, and returns how many found nobody in the end.
func (f *flood) schedule(ctx context.Context, due chan<- arrival, rate float64, started time.Time, span time.Duration) (unsent int) {
	random := rand.New(rand.NewPCG(f.seed, f.sent))
	end := started.Add(span)
	for at := started; ctx.Err() == nil; {
		if rate > 0 {
			at = at.Add(time.Duration(-math.Log(1-random.Float64()) / rate * float64(time.Second)))
		} else {
			at = time.Now()
		}
		if at.After(end) {
			return unsent
		}
		if wait := time.Until(at); wait > time.Millisecond {
			<-time.After(wait)
		}
		f.sent++
		if rate == 0 {
			due <- arrival{f.sent, at}
			continue
		}
		select {
		case due <- arrival{f.sent, at}:
		default: // every connection waits, and as many arrivals before this one: it leaves
			unsent++
		}
	}
	return unsent
}

// pump is one connection.
type pump struct {
	*flood
	tally  *tally
	placed []string

	conn    net.Conn
	answers *bufio.Reader
	buffer  []byte
}

func (p *pump) run(ctx context.Context, due <-chan arrival) {
	defer p.hangUp()
	for a := range due {
		if ctx.Err() != nil {
			continue // lets schedule end
		}
		sent := time.Now()
		status, id, err := p.send(ctx, a.n)
		switch {
		case err != nil:
			p.hangUp()
			p.tally.others[0]++
		case status == http.StatusCreated:
			p.placed = append(p.placed, id)
			p.tally.admitted = append(p.tally.admitted, time.Since(a.at))
		case status == http.StatusTooManyRequests:
			p.tally.refused = append(p.tally.refused, time.Since(sent))
		default:
			p.tally.others[status]++
		}
	}
}

// send asks for one order.
func (p *pump) send(ctx context.Context, n uint64) (status int, id string, err error) {
	t := p.templates[n%uint64(len(p.templates))]
	if p.conn == nil {
		dialer := net.Dialer{Timeout: 5 * time.Second}
		if p.conn, err = dialer.DialContext(ctx, "tcp", t.address); err != nil {
			p.conn = nil
			return 0, "", err
		}
		p.answers = bufio.NewReader(p.conn)
	}
	p.buffer = append(p.buffer[:0], t.request...)
	digits := strconv.AppendUint(nil, n, 10)
	copy(p.buffer[t.digits+keyDigits-len(digits):], digits)
	if err := p.conn.SetDeadline(time.Now().Add(givenUp)); err != nil {
		return 0, "", err
	}
	if _, err := p.conn.Write(p.buffer); err != nil {
		return 0, "", err
	}
	answer, err := http.ReadResponse(p.answers, nil)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = answer.Body.Close() }() // it was only read
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode == http.StatusCreated {
		id, err = orderID(text)
	}
	if answer.Close {
		p.hangUp()
	}
	return answer.StatusCode, id, err
}

func (p *pump) hangUp() {
	if p.conn != nil {
		_ = p.conn.Close() // what it owed was read
		p.conn = nil
	}
}
