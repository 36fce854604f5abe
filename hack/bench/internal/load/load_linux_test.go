package load

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// shop answers 201 to each new key and 409 to a repeat, after a while.
type shop struct {
	after time.Duration

	mu   sync.Mutex
	keys map[string]bool
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	<-time.After(s.after)
	body, _ := io.ReadAll(r.Body)
	if !strings.Contains(string(body), `"sku":"6901234567892"`) || !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer token") {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key := r.Header.Get("Idempotency-Key")
	if s.keys[key] {
		w.WriteHeader(http.StatusConflict)
		return
	}
	s.keys[key] = true
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, `{"orderId":"ord_1"}`)
}

func open(t *testing.T, after time.Duration) (*shop, Plan) {
	t.Helper()
	s := &shop{after: after, keys: map[string]bool{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	orders, err := NewOrders("test0001", []string{"token1", "token2"}, Order{Campaign: "c", SKU: "6901234567892", Units: 1, Address: "addr_1"})
	if err != nil {
		t.Fatal(err)
	}
	return s, Plan{Address: strings.TrimPrefix(server.URL, "http://"), Connections: 8, Orders: orders}
}

func TestAClosedLoopSendsEveryOrderOnce(t *testing.T) {
	s, plan := open(t, 0)
	plan.For = 500 * time.Millisecond
	result, err := Run(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	if result.Accepted() == 0 || result.Accepted() != result.Answers() || result.Accepted() != len(s.keys) {
		t.Errorf("accepted %d of %d answers, the shop has %d orders; want them equal and not 0", result.Accepted(), result.Answers(), len(s.keys))
	}
	if result.OwnCPU <= 0 {
		t.Error("the generator does not know its own CPU")
	}
}

func TestASourceEndsTheRunAndBodiesAreKept(t *testing.T) {
	_, plan := open(t, 0)
	plan.KeepBodies = true
	plan.Source = func(buffer []byte, n int) ([]byte, bool) { return plan.Orders.Again(buffer, uint64(n/2)), n < 20 }
	result, err := Run(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	if result.Accepted() != 10 || result.Statuses[http.StatusConflict] != 10 || len(result.Bodies) != 10 || string(result.Bodies[0]) != `{"orderId":"ord_1"}` {
		t.Errorf("statuses %v, %d bodies; want 10 accepted with bodies and 10 repeats", result.Statuses, len(result.Bodies))
	}
}

func TestAnOpenLoopCountsFromTheIntendedStart(t *testing.T) {
	_, plan := open(t, 20*time.Millisecond)
	// One connection answers 50 a second; 200 are intended, so the last waits for most of three spans.
	plan.Connections, plan.For, plan.Rate = 1, 200*time.Millisecond, 200
	result, err := Run(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	if longest := result.Quantile(1); longest < 200*time.Millisecond {
		t.Errorf("the longest latency is %s: it does not count the wait for a connection", longest)
	}
	if result.Quantile(0) > result.Quantile(1) {
		t.Error("latencies are not sorted")
	}
}

func TestWhoFindsNoConnectionIsDroppedWhereThePlanSaysSo(t *testing.T) {
	_, plan := open(t, 20*time.Millisecond)
	plan.Connections, plan.For, plan.Rate, plan.Drop = 1, 200*time.Millisecond, 200, true
	result, err := Run(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	if result.Answers() > 15 {
		t.Errorf("%d answers in 200 ms at 20 ms each: the queue was served after the end", result.Answers())
	}
}

func TestAShapeMovesTheLoadInTime(t *testing.T) {
	_, plan := open(t, 0)
	var accepted atomic.Int64
	plan.For, plan.Rate, plan.Accepted, plan.KeepBodies = 300*time.Millisecond, 1_000, &accepted, true
	plan.Shape = func(since time.Duration) float64 {
		if since < 200*time.Millisecond {
			return 0.1
		}
		return 2
	}
	result, err := Run(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	// 20 are intended in the first part and 200 in the second.
	if n := result.Answers(); n < 100 || n > 320 || int(accepted.Load()) != n || len(result.Answered) != n {
		t.Errorf("%d answers, %d counted, %d with their times; want about 220 of each", n, accepted.Load(), len(result.Answered))
	}
}

func TestConnectionsAreDealtOutToReplicas(t *testing.T) {
	first, plan := open(t, 0)
	second, other := open(t, 0)
	plan.Beside = []string{other.Address}
	plan.Source = func(buffer []byte, n int) ([]byte, bool) { return plan.Orders.Again(buffer, uint64(n)), n < 400 }
	if _, err := Run(t.Context(), plan); err != nil {
		t.Fatal(err)
	}
	if len(first.keys) == 0 || len(second.keys) == 0 || len(first.keys)+len(second.keys) != 400 {
		t.Errorf("%d and %d orders, want some at each and 400 together", len(first.keys), len(second.keys))
	}
}

func TestAConnectionThatTheServerCutsWhileItIsIdleIsOpenedAgain(t *testing.T) {
	s := &shop{keys: map[string]bool{}}
	server := httptest.NewUnstartedServer(s)
	server.Config.IdleTimeout = 10 * time.Millisecond
	server.Start()
	t.Cleanup(server.Close)
	_, plan := open(t, 0)
	plan.Address, plan.Connections, plan.For, plan.Rate = strings.TrimPrefix(server.URL, "http://"), 1, 400*time.Millisecond, 20
	result, err := Run(t.Context(), plan)
	if err != nil || result.Accepted() == 0 || result.Accepted() != result.Answers() {
		t.Errorf("accepted %d of %d, %v; want all", result.Accepted(), result.Answers(), err)
	}
}

func TestWhoIsTurnedAwayIsTimedFromTheSending(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) }))
	t.Cleanup(server.Close)
	_, plan := open(t, 0)
	plan.Address, plan.For = strings.TrimPrefix(server.URL, "http://"), 50*time.Millisecond
	result, err := Run(t.Context(), plan)
	if err != nil || len(result.TurnedAway) == 0 || len(result.TurnedAway) != result.Answers() || Quantile(result.TurnedAway, 0.5) <= 0 {
		t.Errorf("got %d of %d answers turned away, %v; want all, and how long each took", len(result.TurnedAway), result.Answers(), err)
	}
}

func TestAnswersAreParsed(t *testing.T) {
	for name, test := range map[string]struct {
		data         string
		status, size int
		fails        bool
	}{
		"whole":                     {data: "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}", status: 201, size: 45},
		"without a body":            {data: "HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n", status: 409, size: 44},
		"not whole, in its head":    {data: "HTTP/1.1 201 Created\r\nContent-Le"},
		"not whole, in its body":    {data: "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{"},
		"chunked is not understood": {data: "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n", fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			status, _, size, err := parse([]byte(test.data))
			if status != test.status || size != test.size || (err != nil) != test.fails {
				t.Errorf("got %d, %d, %v, want %d, %d, failure %v", status, size, err, test.status, test.size, test.fails)
			}
		})
	}
}
