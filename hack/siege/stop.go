package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/qingcang/qingcang/hack/siege/internal/field"
)

const (
	// stopWithin is what a process may take to end.
	stopWithin = 10 * time.Second
	// halfSent requests are under way at a SIGTERM: the service has asked for their bodies.
	halfSent = 16
	// shoppers keep both replicas busy meanwhile.
	shoppers = 16
	// bodyAfter is how long after the SIGTERM the bodies are sent.
	bodyAfter = 100 * time.Millisecond
)

// graceful ends replicas by SIGTERM under load. What a replica has taken on it answers, no 201 is
// lost, and it is gone in time.
func graceful(ctx context.Context, s *siege) error {
	sale := s.sale(10_000_000)
	if err := s.Open(ctx, sale); err != nil {
		return err
	}
	l, err := s.load(ctx, "stop", sale, shoppers)
	if err != nil {
		return err
	}
	defer l.stop()
	for !s.over() {
		f := newFaults()
		replica := field.Replicas[s.tried%len(field.Replicas)]
		if err := l.retire(ctx, replica, s.tried, f); err != nil {
			return err
		}
		s.tell(fmt.Sprintf("stop %d", s.tried), 1, f.all()...)
	}
	l.stop()
	return l.judge(ctx)
}

// retire ends one replica with requests half sent to it, and has it come back.
func (l *load) retire(ctx context.Context, replica string, n int, f *faults) error {
	var requests []*half
	defer func() {
		for _, h := range requests {
			_ = h.conn.Close() // answered or not
		}
	}()
	for i := range halfSent {
		h, err := l.sendHalf(ctx, replica, field.Intent{
			Buyer: l.buyers[i], Key: fmt.Sprintf("half-sent-%d-%d", n, i), Campaign: l.sales[0].UID, Units: 1,
		})
		if err != nil {
			return fmt.Errorf("send half a request: %w", err)
		}
		requests = append(requests, h)
	}
	var sending sync.WaitGroup
	for _, h := range requests {
		sending.Go(func() {
			<-time.After(bodyAfter)
			if id, err := h.finish(); err != nil {
				f.add("%s was told to stop and dropped a request that it had taken on: %v", replica, err)
			} else {
				l.keep(id)
			}
		})
	}
	took, err := l.Retire(replica)
	sending.Wait()
	if err != nil {
		return err
	}
	if took > stopWithin {
		f.add("%s took %.1f s to stop", replica, took.Seconds())
	}
	if err := l.Release(replica); err != nil {
		return err
	}
	return l.Back(ctx, replica)
}

// half is a request whose head was sent, and whose body the server has asked for.
type half struct {
	conn    net.Conn
	answers *bufio.Reader
	request *http.Request
}

func (s *siege) sendHalf(ctx context.Context, replica string, i field.Intent) (*half, error) {
	request, err := s.Request(replica, i)
	if err != nil {
		return nil, err
	}
	dialer := net.Dialer{Timeout: stopWithin}
	conn, err := dialer.DialContext(ctx, "tcp", request.URL.Host)
	if err != nil {
		return nil, err
	}
	h := &half{conn: conn, answers: bufio.NewReader(conn), request: request}
	head := &strings.Builder{}
	fmt.Fprintf(head, "POST %s HTTP/1.1\r\nHost: %s\r\nExpect: 100-continue\r\nContent-Length: %d\r\n", request.URL.RequestURI(), request.URL.Host, request.ContentLength)
	_ = request.Header.Write(head) // a strings.Builder takes everything
	head.WriteString("\r\n")
	_ = conn.SetDeadline(time.Now().Add(2 * stopWithin)) // a connection has deadlines
	if _, err := io.WriteString(conn, head.String()); err != nil {
		return nil, err
	}
	said, err := h.answers.ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("read the answer to a request's head: %w", err)
	}
	if !strings.HasPrefix(said, "HTTP/1.1 100 ") {
		return nil, fmt.Errorf("the replica says %q to a request's head", said)
	}
	_, err = h.answers.ReadString('\n') // the empty line
	return h, err
}

// finish sends the body and returns the id of the order.
func (h *half) finish() (string, error) {
	if _, err := io.Copy(h.conn, h.request.Body); err != nil {
		return "", fmt.Errorf("send the body: %w", err)
	}
	answer, err := http.ReadResponse(h.answers, h.request)
	if err != nil {
		return "", fmt.Errorf("read the answer: %w", err)
	}
	defer func() { _ = answer.Body.Close() }() // it was only read
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return "", fmt.Errorf("read the answer: %w", err)
	}
	if answer.StatusCode != http.StatusCreated {
		return "", fmt.Errorf("it answered %s %.200s", answer.Status, text)
	}
	return orderID(text)
}

// load orders without a pause, on every sale in turn and at both replicas.
type load struct {
	*siege
	sales   []field.Sale
	buyers  []field.Buyer
	cancel  context.CancelFunc
	workers sync.WaitGroup
	asked   atomic.Int64

	mu     sync.Mutex
	placed map[string]bool // ids with a 201
	odd    *faults
}

// load starts so many shoppers for each sale.
func (s *siege) load(ctx context.Context, name string, sale field.Sale, shoppers int, more ...field.Sale) (*load, error) {
	l := &load{siege: s, sales: append([]field.Sale{sale}, more...), placed: map[string]bool{}, odd: newFaults()}
	var err error
	if l.buyers, err = s.Shop.Buyers(name, 500); err != nil {
		return nil, err
	}
	ctx, l.cancel = context.WithCancel(ctx)
	for worker := range shoppers {
		l.workers.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				a := s.Shop.Buy(ctx, field.Intent{
					Buyer: l.buyers[(worker*31+n)%len(l.buyers)], Key: fmt.Sprintf("load-%d-%d", worker, n),
					Campaign: l.sales[(worker+n)%len(l.sales)].UID, Units: 1,
				})
				l.asked.Add(1)
				switch {
				case a.Status == http.StatusCreated:
					l.keep(a.OrderID)
				case ctx.Err() == nil:
					l.odd.add("a shopper was answered %v", a)
				}
			}
		})
	}
	return l, nil
}

func (l *load) keep(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.placed[id] = true
}

// stop sends the shoppers home.
func (l *load) stop() {
	l.cancel()
	l.workers.Wait()
}

// judge counts what the shoppers were promised.
func (l *load) judge(ctx context.Context) error {
	audit, err := l.Audit(ctx, func(a field.Audit) error { return a.Lack(slices.Collect(maps.Keys(l.placed))) })
	if err != nil {
		return err
	}
	l.note("%d orders were placed under load", len(l.placed))
	l.tellAfter(append(l.odd.all(), audit.Faults...)...)
	return nil
}
