package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Plan is one run of the generator.
type Plan struct {
	// Address is host:port of what is measured.
	Address string
	// Beside are further replicas of it: the connections are dealt out to all.
	Beside []string
	// Connections are opened before the clock starts.
	Connections int
	// Orders renders the requests, or Source where that is set.
	Orders *Orders
	// Source, if set, renders the nth request; false ends the run.
	Source func(buffer []byte, n int) ([]byte, bool)
	// For is how long requests are sent. 0: until Source ends.
	For time.Duration
	// Rate, if positive, makes the loop open: so many requests a second, at random intended times
	// (Poisson), whatever becomes of those before. Otherwise each answer is followed by a request.
	Rate float64
	// Shape, if set, multiplies the rate at a time since the start.
	Shape func(since time.Duration) float64
	// Drop forgets at the end what has found no connection until then: who waits in front of an
	// overloaded shop when the sale is over leaves.
	Drop bool
	// Seed is that of the intended times.
	Seed uint64
	// KeepBodies keeps the answers of accepted orders.
	KeepBodies bool
	// Accepted, if set, counts accepted orders while the plan runs.
	Accepted *atomic.Int64
}

const (
	// answerBytes is room for an answer with its head.
	answerBytes = 16 << 10
	// patience is how long the last answers may take after the last request was sent.
	patience = 15 * time.Second
	// maxWaiting bounds the requests of an open loop that find no idle connection: a minute's worth
	// at any rate that this machine can reach.
	maxWaiting = 4 << 20
)

// loop is a running plan. One thread owns it.
type loop struct {
	plan    Plan
	epoll   int
	timer   int // fires at the next intended start of an open loop
	conns   []conn
	idle    []int       // connections without a request in flight
	due     time.Time   // the next intended start
	waiting []time.Time // intended starts that found no idle connection, from head on
	head    int
	arrival *rand.Rand
	sent    int
	over    bool // nothing more is sent
	inward  int  // requests in flight
	started time.Time
	result  Result
}

type conn struct {
	to       netip.AddrPort
	fd       int // cut while it is closed
	busy     bool
	again    bool // its request was sent a second time
	request  []byte
	answer   []byte
	got      int
	intended time.Time
	sent     time.Time
}

// Run opens the connections, sends, and returns when every request is answered.
func Run(ctx context.Context, plan Plan) (Result, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	l := &loop{plan: plan, result: Result{Statuses: map[int]int{}}, arrival: rand.New(rand.NewPCG(plan.Seed, 1))}
	defer l.close()
	if err := l.open(); err != nil {
		return Result{}, fmt.Errorf("open the generator: %w", err)
	}
	before, err := threadCPU()
	if err != nil {
		return Result{}, err
	}
	if err := l.run(ctx); err != nil {
		return Result{}, fmt.Errorf("send orders to %s: %w", plan.Address, err)
	}
	after, err := threadCPU()
	l.result.OwnCPU = after - before
	l.result.sort()
	return l.result, err
}

func (l *loop) open() error {
	replicas, err := endpoints(append([]string{l.plan.Address}, l.plan.Beside...))
	if err != nil {
		return err
	}
	if l.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return err
	}
	if l.timer, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC); err != nil {
		return err
	}
	if err := l.watch(l.timer, -1); err != nil {
		return err
	}
	for i := range l.plan.Connections {
		l.conns = append(l.conns, conn{to: replicas[i%len(replicas)], fd: cut, answer: make([]byte, answerBytes)})
		l.idle = append(l.idle, i)
		if err := l.connect(i); err != nil {
			return err
		}
	}
	return nil
}

// cut is a connection that the server closed while nothing was asked on it, as servers do after a
// while. It is opened again for the next request.
const cut = -1

func (l *loop) connect(id int) (err error) {
	c := &l.conns[id]
	if c.fd, err = dial(c.to); err != nil {
		c.fd = cut
		return err
	}
	return l.watch(c.fd, int32(id))
}

func endpoints(addresses []string) ([]netip.AddrPort, error) {
	out := make([]netip.AddrPort, len(addresses))
	for i, address := range addresses {
		var err error
		if out[i], err = netip.ParseAddrPort(address); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func dial(to netip.AddrPort) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	if err := unix.Connect(fd, &unix.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())}); err != nil {
		return 0, errors.Join(err, unix.Close(fd))
	}
	return fd, errors.Join(unix.SetNonblock(fd, true), unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1))
}

// watch has epoll report fd as id.
func (l *loop) watch(fd int, id int32) error {
	return unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: id})
}

func (l *loop) close() {
	for _, c := range l.conns {
		if c.fd != cut {
			_ = unix.Close(c.fd)
		}
	}
	_ = unix.Close(l.timer)
	_ = unix.Close(l.epoll)
}

func (l *loop) run(ctx context.Context) error {
	events := make([]unix.EpollEvent, 256)
	l.started = time.Now()
	l.due = l.started
	for {
		now := time.Now()
		if err := l.send(now); err != nil {
			return err
		}
		if l.over && l.inward == 0 && l.head == len(l.waiting) {
			l.result.Took = time.Since(l.started)
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		n, err := unix.EpollWait(l.epoll, events, int(patience.Milliseconds()))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("no answer to %d requests within %s", l.inward, patience)
		}
		for _, event := range events[:n] {
			if event.Fd < 0 {
				var ticks [8]byte
				_, _ = unix.Read(l.timer, ticks[:]) // only to quiet it
				continue
			}
			if err := l.receive(int(event.Fd)); err != nil {
				return err
			}
		}
	}
}

// receive reads what came on a connection. Its next request is sent by send.
func (l *loop) receive(id int) error {
	c := &l.conns[id]
	n, err := unix.Read(c.fd, c.answer[c.got:])
	if errors.Is(err, unix.EAGAIN) {
		return nil
	}
	if err != nil || n == 0 {
		return l.lost(id, errors.Join(err, unix.ECONNRESET))
	}
	c.got += n
	status, head, size, err := parse(c.answer[:c.got])
	if err != nil {
		return err
	}
	if size == 0 {
		if c.got == len(c.answer) {
			return errors.New("an answer is longer than the generator's buffer")
		}
		return nil
	}
	l.note(c, status, c.answer[head:size])
	c.got, c.busy, c.again = 0, false, false
	l.inward--
	l.idle = append(l.idle, id)
	return nil
}

// lost copes with a connection that the server has closed. A server may do that to an idle one at the
// moment at which a request is sent: then it is sent once more, as clients do that find an
// Idempotency-Key on it.
func (l *loop) lost(id int, err error) error {
	c := &l.conns[id]
	if c.fd == cut {
		return nil
	}
	_ = unix.Close(c.fd)
	c.fd = cut
	if !c.busy {
		return nil
	}
	if c.got > 0 || c.again {
		return fmt.Errorf("a connection was cut after %d answers: %w", l.result.Answers(), err)
	}
	c.again = true
	return l.write(id)
}

// note takes an answer into the result.
func (l *loop) note(c *conn, status int, body []byte) {
	now := time.Now()
	l.result.Statuses[status]++
	l.result.Latencies = append(l.result.Latencies, now.Sub(c.intended))
	switch status {
	case http.StatusTooManyRequests:
		l.result.TurnedAway = append(l.result.TurnedAway, now.Sub(c.sent))
	case http.StatusCreated:
		if l.plan.Accepted != nil {
			l.plan.Accepted.Add(1)
		}
		if l.plan.KeepBodies {
			l.result.Bodies = append(l.result.Bodies, append([]byte(nil), body...))
			l.result.Answered = append(l.result.Answered, now)
		}
	}
}

func threadCPU() (time.Duration, error) {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &usage); err != nil {
		return 0, fmt.Errorf("ask for the generator's own CPU: %w", err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), nil
}
