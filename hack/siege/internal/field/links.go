package field

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

// Fault is what is wrong with a link.
type Fault string

// The faults of a link.
const (
	// Down refuses connections and cuts those that there are.
	Down Fault = "down"
	// Slow holds everything back, in both directions.
	Slow Fault = "slow"
	// HalfOpen accepts connections and lets nothing through.
	HalfOpen Fault = "half-open"
	// Narrow lets little through towards the dependency.
	Narrow Fault = "narrow"
	// Flaky resets three of ten connections, again and again.
	Flaky Fault = "failing 30%"
)

const (
	// slowLatency in each direction makes a round trip about a hundred times its usual one, and stays
	// within every timeout of the service.
	slowLatency = 250 * time.Millisecond
	flakyShare  = 0.3
	// narrowRate in 1,000 bytes a second and connection is about 3,000 orders on their way to the log.
	narrowRate = 500
	// flakyEvery is how often the connections that there are draw again.
	flakyEvery = 500 * time.Millisecond
)

// Links are proxies that can do harm. They pass bytes on as they are until then.
type Links struct {
	server *toxiproxy.ApiServer
	byName map[string]*link
}

type link struct {
	proxy *toxiproxy.Proxy

	mu      sync.Mutex
	shaking context.CancelFunc // ends a flaky link's draws
	shaken  chan struct{}
}

func newLinks() *Links {
	return &Links{
		server: toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop()),
		byName: map[string]*link{},
	}
}

// add opens a link and returns where it listens.
func (l *Links) add(name, listen, upstream string) (string, error) {
	proxy := toxiproxy.NewProxy(l.server, name, listen, upstream)
	if err := proxy.Start(); err != nil {
		return "", fmt.Errorf("open the link to %s: %w", name, err)
	}
	l.byName[name] = &link{proxy: proxy}
	return proxy.Listen, nil
}

func (l *Links) close() {
	for _, link := range l.byName {
		link.proxy.Stop()
	}
}

// Harm does something to the link before a dependency, until Heal.
func (f *Field) Harm(dependency string, fault Fault) error {
	link := f.links.byName[dependency]
	link.mu.Lock()
	defer link.mu.Unlock()
	switch fault {
	case Down:
		link.proxy.Stop()
		return nil
	case Slow:
		return link.both("latency", 1, map[string]int64{"latency": slowLatency.Milliseconds()})
	case HalfOpen:
		return link.both("timeout", 1, map[string]int64{"timeout": 0})
	case Narrow:
		return link.toxic("bandwidth", "upstream", 1, map[string]int64{"rate": narrowRate})
	case Flaky:
		return link.shake()
	}
	return fmt.Errorf("a link cannot be %q", fault)
}

// Heal makes the link before a dependency sound again. What hung on it is cut, as when a network
// comes back and the hosts behind it have forgotten their connections.
func (f *Field) Heal(dependency string) error {
	link := f.links.byName[dependency]
	link.mu.Lock()
	defer link.mu.Unlock()
	if link.shaking != nil {
		link.shaking()
		<-link.shaken
		link.shaking = nil
	}
	link.proxy.Stop()
	// A new one: toxiproxy may wait for ever when faults are taken off a link that is being cut.
	old := link.proxy
	link.proxy = toxiproxy.NewProxy(f.links.server, dependency, old.Listen, old.Upstream)
	if err := link.proxy.Start(); err != nil {
		return fmt.Errorf("open the link to %s again: %w", dependency, err)
	}
	return nil
}

// both adds a toxic for what comes and one for what goes.
func (l *link) both(kind string, share float64, attributes map[string]int64) error {
	for _, stream := range []string{"upstream", "downstream"} {
		if err := l.toxic(kind, stream, share, attributes); err != nil {
			return err
		}
	}
	return nil
}

func (l *link) toxic(kind, stream string, share float64, attributes map[string]int64) error {
	toxic, err := json.Marshal(map[string]any{
		"name": kind + "_" + stream, "type": kind, "stream": stream, "toxicity": share, "attributes": attributes,
	})
	if err != nil {
		return fmt.Errorf("encode a fault: %w", err)
	}
	if _, err := l.proxy.Toxics.AddToxicJson(bytes.NewReader(toxic)); err != nil {
		return fmt.Errorf("do harm to a link: %w", err)
	}
	return nil
}

// shake has every connection draw whether it is reset at its next bytes: when it opens, and then
// twice a second.
func (l *link) shake() error {
	if err := l.both(resetPeer, flakyShare/2, map[string]int64{"timeout": 0}); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.shaking, l.shaken = cancel, make(chan struct{})
	go func() {
		defer close(l.shaken)
		ticker := time.NewTicker(flakyEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			for _, stream := range []string{"upstream", "downstream"} {
				// The same once more: who takes it up draws again.
				_, _ = l.proxy.Toxics.UpdateToxicJson(resetPeer+"_"+stream, strings.NewReader(`{"attributes":{"timeout":0}}`))
			}
		}
	}()
	return nil
}

const resetPeer = "reset_peer"
