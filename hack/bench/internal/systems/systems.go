// Package systems brings up what is measured: Qingcang's order service with its broker and
// database, and the peers with theirs. Each system listens on an address of its own, is charged for
// all of its processes, and has a recount that does not ask the system itself.
package systems

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/qingcang/qingcang/hack/bench/internal/cpu"
	"github.com/qingcang/qingcang/hack/bench/internal/load"
	"github.com/qingcang/qingcang/hack/internal/stack"
)

// Buyers is how many tokens orders are spread over. Each token is checked anew for each request by
// every system; many of them keep any one buyer's share small.
const Buyers = 2_000

// address is well formed; nobody looks into it.
const address = "addr_01jz6j8f4tfk2b6a1n8x9q7r5m"

// Sale is a campaign with one SKU.
type Sale struct {
	Campaign, SKU string
	Units         int64
}

// The sales of a run. Every system has Hot and Last; the others are for refusals of our own.
var (
	// Hot never sells out.
	Hot = Sale{Campaign: "bench-hot", SKU: "6901234567892", Units: 200_000_000}
	// Last is asked for more than it has, and every order is sent twice.
	Last = Sale{Campaign: "bench-last", SKU: "6901234567908", Units: 2_000}
	// Gone is sold out from the start of the refusals on.
	Gone = Sale{Campaign: "bench-gone", SKU: "6901234567939", Units: 1}
	// Later has not begun.
	Later = Sale{Campaign: "bench-later", SKU: "6901234567915", Units: 1_000}
	// Limited gives one unit to a buyer.
	Limited = Sale{Campaign: "bench-limited", SKU: "6901234567922", Units: 1_000_000}
	// Brief holds only for Options.BriefHold: its orders end unpaid.
	Brief = Sale{Campaign: "bench-brief", SKU: "6901234567946", Units: 200_000_000}
)

// System is something that takes orders.
type System struct {
	Name string
	// Address is host:port, and Beside are those of further replicas.
	Address string
	Beside  []string
	// Store tells the recount where to look; empty for systems that keep nothing.
	Store     string
	processes []string
	recount   func(context.Context, Sale) (Books, error)
	field     *Field
}

// Books are what a system's store says was sold of a sale.
type Books struct {
	// Orders holds the units of each order.
	Orders map[string]int64
	// Duplicates counts orders that stand there more than once.
	Duplicates int64
	// Left is what the store says is free.
	Left int64
}

// Units is the sum of the orders' units.
func (b Books) Units() (sum int64) {
	for _, units := range b.Orders {
		sum += units
	}
	return sum
}

// KeepsBooks tells whether there is anything to recount.
func (s *System) KeepsBooks() bool { return s.recount != nil }

// Recount reads what was sold from the system's store.
func (s *System) Recount(ctx context.Context, sale Sale) (Books, error) {
	books, err := s.recount(ctx, sale)
	if err != nil {
		return Books{}, fmt.Errorf("recount %s: %w", s.Name, err)
	}
	return books, nil
}

// Processes are the names of what is charged, in the order of PIDs.
func (s *System) Processes() []string { return slices.Clone(s.processes) }

// PIDs are the system's processes, the server that answers first.
func (s *System) PIDs() ([]int, error) {
	var pids []int
	for _, name := range s.processes {
		pid, err := s.field.supervisor.PID(name)
		if err != nil {
			return nil, err
		}
		pids = append(pids, pid)
	}
	return pids, nil
}

// Retire ends the system's processes for good: what has been measured should not be in the way.
func (s *System) Retire() error { return s.field.halt(s.processes) }

func (f *Field) halt(processes []string) error {
	for _, name := range processes {
		if err := f.supervisor.Halt(name); err != nil {
			return err
		}
	}
	return nil
}

// Settle waits until the system has gone quiet.
func (s *System) Settle(ctx context.Context) error {
	pids, err := s.PIDs()
	if err != nil {
		return err
	}
	_, err = cpu.Settled(ctx, pids...)
	return err
}

// Field is where the systems run.
type Field struct {
	root, dir  string
	progress   io.Writer
	supervisor *stack.Supervisor
	binaries   stack.Binaries
	peers      string // folder of the peers' binaries
	tokens     []string
	marks      int
}

// NewField builds everything and makes keys and tokens. Stop must be called, also after an error.
func NewField(ctx context.Context, root, dir string, progress io.Writer, log *slog.Logger) (*Field, error) {
	f := &Field{root: root, dir: dir, progress: progress, peers: filepath.Join(dir, "bin")}
	// PostgreSQL runs as a user of its own, who must get to its folder.
	if err := os.Chmod(dir, 0o755); err != nil {
		return f, err
	}
	var err error
	if f.supervisor, err = stack.NewSupervisor(filepath.Join(dir, "logs"), log); err != nil {
		return f, err
	}
	if f.binaries, err = stack.Build(ctx, root, progress); err != nil {
		return f, err
	}
	if err := f.buildPeers(ctx); err != nil {
		return f, err
	}
	if err := f.makeKeys(); err != nil {
		return f, err
	}
	out, err := f.output(ctx, filepath.Join(f.peers, "tokens"), "-keys", f.key("buyer"), "-n", strconv.Itoa(Buyers))
	f.tokens = strings.Fields(out)
	return f, err
}

// buildPeers builds the consumer, and the module of the peers, which stays out of the workspace: what
// its clients of Redis and PostgreSQL require is nobody else's business.
func (f *Field) buildPeers(ctx context.Context) error {
	bench := filepath.Join(f.root, "hack", "bench")
	for dir, env := range map[string][]string{bench: nil, filepath.Join(bench, "peers"): {"GOWORK=off"}} {
		command := exec.CommandContext(ctx, "go", "build", "-o", f.peers+"/", "./cmd/...")
		command.Dir = dir
		command.Env = append(os.Environ(), env...)
		if out, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("build the peers: %w\n%s", err, out)
		}
	}
	return nil
}

// Stop ends every process.
func (f *Field) Stop() {
	if f.supervisor != nil {
		f.supervisor.Stop()
	}
}

// Orders renders requests for a sale that no run before has sent.
func (f *Field) Orders(sale Sale, units int64) (*load.Orders, error) {
	return load.NewOrders(f.Mark(), f.tokens, load.Order{Campaign: sale.Campaign, SKU: sale.SKU, Units: units, Address: address})
}

// Mark sets the keys of a run apart from those of every run before.
func (f *Field) Mark() string {
	f.marks++
	return fmt.Sprintf("b%07d", f.marks)
}

// output runs a command to its end and returns what it prints.
func (f *Field) output(ctx context.Context, path string, args ...string) (string, error) {
	var complaints strings.Builder
	command := exec.CommandContext(ctx, path, args...)
	command.Stderr = &complaints
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", filepath.Base(path), err, complaints.String())
	}
	return string(out), nil
}

func (f *Field) path(parts ...string) string {
	return filepath.Join(append([]string{f.dir}, parts...)...)
}

func local(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// ports returns n free addresses.
func addresses(n int) ([]string, error) {
	ports, err := stack.FreePorts(n)
	if err != nil {
		return nil, err
	}
	out := make([]string, n)
	for i, port := range ports {
		out[i] = local(port)
	}
	return out, nil
}
