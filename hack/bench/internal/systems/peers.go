package systems

import (
	"bufio"
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/qingcang/qingcang/hack/internal/stack"
)

// Peer says how a peer is built up.
type Peer struct {
	Name string
	// kind is what the peer command calls it.
	kind string
	// start brings the store up, if the peer has one.
	start func(*Field, context.Context, string) (store, error)
}

type store struct {
	address string // as the peer is told
	kind    string // as the recount is told
	process string
}

// The peers.
var (
	Noop        = Peer{Name: "noop", kind: "noop"}
	Handler     = Peer{Name: "handler", kind: "handler"}
	Rueidis     = Peer{Name: "redis", kind: "rueidis", start: redis("everysec")}
	GoRedis     = Peer{Name: "redis-goredis", kind: "go-redis", start: redis("everysec")}
	RedisAlways = Peer{Name: "redis-always", kind: "rueidis", start: redis("always")}
	// PGRow answers after the row is with the kernel, as our broker does: it survives kill -9.
	PGRow = Peer{Name: "pg-row", kind: "pg-row", start: postgres(postgresConfig{fsync: "off", commit: "on"})}
	// PGRowDisk answers after the row is on the disk, as PostgreSQL does by default.
	PGRowDisk   = Peer{Name: "pg-row-disk", kind: "pg-row", start: postgres(postgresConfig{fsync: "on", commit: "on"})}
	PGRowAsync  = Peer{Name: "pg-row-async", kind: "pg-row", start: postgres(postgresConfig{fsync: "on", commit: "off"})}
	PGBatch     = Peer{Name: "pg-batch", kind: "pg-batch", start: postgres(postgresConfig{fsync: "on", commit: "off"})}
	PGBatchDisk = Peer{Name: "pg-batch-disk", kind: "pg-batch", start: postgres(postgresConfig{fsync: "on", commit: "on"})}
)

// peerCollector lets a peer's heap grow before it is collected as services/internal/run lets a service's.
const peerCollector = "GOGC=400"

// StartPeer brings a peer up with its stock.
func (f *Field) StartPeer(ctx context.Context, p Peer) (*System, error) {
	system := &System{Name: p.Name, field: f, processes: []string{p.Name}}
	args := []string{"-kind", p.kind, "-keys", f.key("buyer")}
	if p.start != nil {
		s, err := p.start(f, ctx, p.Name+"-store")
		if err != nil {
			return nil, fmt.Errorf("start the store of %s: %w", p.Name, err)
		}
		system.Store = s.address
		system.processes = append(system.processes, s.process)
		system.recount = func(ctx context.Context, sale Sale) (Books, error) { return f.recountPeer(ctx, s, sale) }
		args = append(args, "-store", s.address)
		for _, sale := range []Sale{Hot, Last} {
			args = append(args, "-stock", fmt.Sprintf("%s/%s=%d", sale.Campaign, sale.SKU, sale.Units))
		}
	}
	free, err := addresses(1)
	if err != nil {
		return nil, err
	}
	system.Address = free[0]
	return system, f.supervisor.Start(ctx, stack.Process{
		Name: p.Name, Path: filepath.Join(f.peers, "peer"), Args: append(args, "-listen", system.Address), Env: []string{peerCollector},
		Ready: stack.HTTPReady("http://" + system.Address + "/readyz"),
	})
}

// recountPeer reads a peer's store with a program of its own.
func (f *Field) recountPeer(ctx context.Context, s store, sale Sale) (Books, error) {
	out, err := f.output(ctx, filepath.Join(f.peers, "recount"),
		"-kind", s.kind, "-store", s.address, "-campaign", sale.Campaign, "-sku", sale.SKU)
	if err != nil {
		return Books{}, err
	}
	books := Books{Orders: map[string]int64{}}
	for lines := bufio.NewScanner(strings.NewReader(out)); lines.Scan(); {
		var id string
		var units int64
		if _, err := fmt.Sscanf(lines.Text(), "left %d", &books.Left); err == nil {
			continue
		}
		if _, err := fmt.Sscanf(lines.Text(), "order %s %d", &id, &units); err != nil {
			return Books{}, fmt.Errorf("not a line of a recount: %q", lines.Text())
		}
		if _, twice := books.Orders[id]; twice {
			books.Duplicates++
		}
		books.Orders[id] += units
	}
	return books, nil
}
