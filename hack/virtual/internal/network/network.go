// Package network is the way between the replicas of a service and their broker in virtual time
// (testing/synctest): kfake's VirtualNetwork, and what happens to Kafka's protocol on real ones.
// Answers take a while, are lost or come in part; a machine dies; the broker is away or says nothing.
package network

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

var errRefused = errors.New("connection refused")

// State is how the network is.
type State int

// The states. A broker that is Away refuses connections and ends those that there are; of a Silent
// one nothing comes back, as of a machine that has lost its power.
const (
	Up State = iota
	Away
	Silent
)

// Network is a virtual network. Its zero value is up and does nothing to answers.
type Network struct {
	virtual kfake.VirtualNetwork

	mu    sync.Mutex
	state State
	links map[*link]struct{}
	rules []Rule

	carriers sync.WaitGroup // two for each link
}

// Rule sees each answer of the broker, may change its body, and says what becomes of it. It is
// called for one answer at a time. The first rule that does not say Deliver decides.
type Rule func(to *Host, a *Answer) Fate

// Fate is what becomes of an answer.
type Fate int

// The fates. A Lost answer's request has taken effect; the connection ends in its stead. Of a Torn
// one the first half arrives before the connection ends.
const (
	Deliver Fate = iota
	Lost
	Torn
)

// Listen is for kfake.ListenFn.
func (n *Network) Listen(network, address string) (net.Listener, error) {
	return n.virtual.Listen(network, address)
}

// Rules replaces the rules.
func (n *Network) Rules(rules ...Rule) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.rules = rules
}

// Turn changes how the network is.
func (n *Network) Turn(s State) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.state = s
	if s == Away {
		n.cut(func(l *link) bool { return !l.host.sure })
	}
}

// Close ends every connection.
func (n *Network) Close() {
	n.mu.Lock()
	n.cut(func(*link) bool { return true })
	n.mu.Unlock()
	n.carriers.Wait()
}

// cut ends connections. The lock is held.
func (n *Network) cut(which func(*link) bool) {
	for l := range n.links {
		if which(l) {
			l.close()
		}
	}
}

// silentFor reports whether nothing comes back to a machine.
func (n *Network) silentFor(h *Host) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.state == Silent && !h.sure
}

// judge applies the rules to an answer.
func (n *Network) judge(to *Host, a *Answer) Fate {
	if to.sure {
		return Deliver
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, rule := range n.rules {
		if fate := rule(to, a); fate != Deliver {
			return fate
		}
	}
	return Deliver
}

// Host is one machine on the network.
type Host struct {
	Name    string
	network *Network
	latency func() time.Duration
	sure    bool

	mu   sync.Mutex
	dead bool
	// The generations of the consumer group that this machine has joined and has its partitions of.
	joined, synced int32
}

// Generation is that of the consumer group whose partitions the machine has, 0 while it has none.
func (h *Host) Generation() int32 {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.synced != h.joined {
		return 0
	}
	return h.synced
}

// Host adds a machine, whose answers take as long as latency says.
func (n *Network) Host(name string, latency func() time.Duration) *Host {
	return &Host{Name: name, network: n, latency: latency}
}

// SureHost adds a machine to which nothing of all this happens: the test's own.
func (n *Network) SureHost() *Host {
	return &Host{Name: "test", network: n, sure: true, latency: func() time.Duration { return 0 }}
}

// Dial opens a connection as net.Dialer does.
func (h *Host) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if h.network.silentFor(h) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	server, err := h.network.virtual.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	near, far := net.Pipe()
	l := &link{host: h, client: far, server: server, asked: map[int32]question{}}
	if !h.join(l) {
		l.close()
		return nil, errRefused
	}
	h.network.carriers.Go(l.requests)
	h.network.carriers.Go(l.answers)
	return near, nil
}

// join counts a connection in; false if the machine is dead or the broker away.
func (h *Host) join(l *link) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := h.network
	n.mu.Lock()
	defer n.mu.Unlock()
	if h.dead || n.state == Away && !h.sure {
		return false
	}
	if n.links == nil {
		n.links = map[*link]struct{}{}
	}
	n.links[l] = struct{}{}
	return true
}

// Crash ends the machine's connections at once and for good.
func (h *Host) Crash() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.dead = true
	h.network.mu.Lock()
	defer h.network.mu.Unlock()
	h.network.cut(func(l *link) bool { return l.host == h })
}
