// Command siege tries rows of the scorecard on real processes: two replicas of the order service, a
// broker, a database and a simulated WeChat Pay, which are killed, paused, cut off and flooded while
// buyers order, cancel and pay. hack/prove runs it; alone it looks into one row:
//
//	go run ./hack/siege -row 2                    as often as CI does
//	go run ./hack/siege -row 2 -trials 50 -seed 7 the random numbers of an earlier siege
//	go run ./hack/siege -row 2 -mutant oversell   with a bug planted in the order service
//	go run ./hack/siege -row 2 -kafka             on three brokers of Apache Kafka
//
// It ends with 1 if anything was violated, and prints one line for each row:
//
//	PROOF row=2 trials=3 violations=0 seed=7
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/qingcang/qingcang/hack/internal/release"
	"github.com/qingcang/qingcang/hack/internal/stack"
	"github.com/qingcang/qingcang/hack/siege/internal/field"
)

// options are the flags.
type options struct {
	row, mutant, dir string
	trials           int
	seed             uint64
	full, kafka      bool
}

func main() {
	var o options
	flag.StringVar(&o.row, "row", "", "the `row` to try: "+strings.Join(rowNames(), ", "))
	flag.IntVar(&o.trials, "trials", 0, "how `often`; 0 is as often as CI does")
	flag.Uint64Var(&o.seed, "seed", 1, "`seed` of the random numbers")
	flag.BoolVar(&o.full, "full", false, "as long as the full column of the scorecard says, where a row has a length")
	flag.StringVar(&o.mutant, "mutant", "", "`bug` to plant, without mutant_; the siege ends at its first violation")
	flag.BoolVar(&o.kafka, "kafka", false, "three brokers of Apache Kafka in place of the embedded one")
	flag.StringVar(&o.dir, "dir", "", "`folder` for data and logs, which are kept; a temporary one when empty")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	holds, err := run(ctx, o, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "siege:", err)
	}
	if err != nil || !holds {
		os.Exit(1)
	}
}

// run brings a field up, tries the row and says what came of it.
func run(ctx context.Context, o options, out io.Writer) (holds bool, err error) {
	r, err := rowNamed(o.row)
	if err != nil {
		return false, err
	}
	if o.trials == 0 {
		o.trials = r.trials
	}
	root, err := stack.Root()
	if err != nil {
		return false, err
	}
	if o.dir == "" {
		if o.dir, err = os.MkdirTemp("", "qingcang-siege-"); err != nil {
			return false, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(o.dir)) }()
	}
	previous := ""
	if r.previous {
		if previous, err = release.Previous(ctx, root); err != nil {
			return false, err
		}
	}
	f, err := field.Start(ctx, field.Options{
		Root: root, Dir: o.dir, Previous: previous, Mutant: o.mutant, Kafka: o.kafka, SmallDisk: r.smallDisk, Progress: os.Stderr,
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	})
	defer func() { err = errors.Join(err, f.Stop()) }()
	if err != nil {
		return false, err
	}
	s := &siege{
		Field: f, out: out, name: r.name, row: r.row, trials: o.trials, full: o.full, kafka: o.kafka, seed: o.seed, enough: enough,
		rand: rand.New(rand.NewPCG(o.seed, 0)),
	}
	if o.mutant != "" {
		s.enough = 1
	}
	if err := r.try(ctx, s); err != nil {
		return false, err
	}
	compared, different, err := s.compare()
	if err != nil {
		return false, err
	}
	s.note("ledgers were compared at %d places", compared)
	s.tellAfter(different...)
	return s.print(), nil
}

// row is one row of the scorecard.
type row struct {
	// name is how it is asked for: the number of the row, but for a second siege of one row.
	name string
	row  string
	// trials are those of CI.
	trials    int
	smallDisk int64
	// previous begins with the release before this one.
	previous bool
	try      func(context.Context, *siege) error
}

var rows = []row{
	{name: "2", row: "2", trials: 3, try: sellOut},
	{name: "3", row: "3", trials: 3, try: loseNothing},
	{name: "10", row: "10", trials: 20, try: twoPublishers},
	{name: "11", row: "11", trials: 6, try: rebuilt},
	{name: "12", row: "12", trials: 500, try: oneKey},
	{name: "15", row: "15", trials: 20, try: matrix},
	{name: "16", row: "16", trials: 2, try: overload},
	{name: "disk", row: "15", trials: 2, smallDisk: smallDisk, try: fullDisk},
	{name: "17", row: "17", trials: 20, try: graceful},
	{name: "20", row: "20", trials: 1, previous: true, try: upgraded},
}

func rowNames() []string {
	names := make([]string, len(rows))
	for i, r := range rows {
		names[i] = r.name
	}
	return names
}

func rowNamed(name string) (row, error) {
	at := slices.IndexFunc(rows, func(r row) bool { return r.name == name })
	if at < 0 {
		return row{}, fmt.Errorf("row %q cannot be tried here; there are %s", name, strings.Join(rowNames(), ", "))
	}
	return rows[at], nil
}

// enough violations end a siege: more tell nothing new.
const enough = 5

// siege is a row that is being tried. It is safe for concurrent use but for rand.
type siege struct {
	*field.Field
	out    io.Writer
	name   string
	row    string
	trials int
	enough int
	full   bool
	kafka  bool
	seed   uint64
	rand   *rand.Rand

	tried, violations int
	sales             int
}

// over reports whether nothing is left to be tried.
func (s *siege) over() bool { return s.tried >= s.trials || s.violations >= s.enough }

// tell counts n trials, and one violation for each fault.
func (s *siege) tell(what string, n int, faults ...string) {
	s.tried += n
	s.violations += min(len(faults), n)
	for _, fault := range faults[:min(len(faults), enough)] {
		_, _ = fmt.Fprintf(s.out, "%s of seed %d: %s\n", what, s.seed, fault)
	}
}

// tellAfter is for what is amiss when all trials were told: a violation without a trial of its own.
func (s *siege) tellAfter(faults ...string) {
	if s.tell("afterwards", 0, faults...); len(faults) > 0 {
		s.violations++
	}
}

// note says something that is no violation.
func (s *siege) note(format string, args ...any) {
	_, _ = fmt.Fprintf(s.out, "  "+format+"\n", args...)
}

// print writes the line that hack/prove reads.
func (s *siege) print() (holds bool) {
	_, _ = fmt.Fprintf(s.out, "PROOF row=%s trials=%d violations=%d seed=%d\n", s.row, s.tried, s.violations, s.seed)
	return s.violations == 0 && s.tried >= s.trials
}

// sale returns a new campaign on the next lane.
func (s *siege) sale(units int64) field.Sale {
	s.sales++
	return field.Sale{UID: fmt.Sprintf("siege-%s-%04d", s.name, s.sales), Units: units, Lane: s.sales % field.Lanes()}
}

// orderID takes the id out of an answer.
func orderID(answer []byte) (string, error) {
	var said struct{ OrderID string }
	if err := json.Unmarshal(answer, &said); err != nil {
		return "", fmt.Errorf("an answer that is no JSON: %.200s: %w", answer, err)
	}
	if said.OrderID == "" {
		return "", fmt.Errorf("an answer without an order: %.200s", answer)
	}
	return said.OrderID, nil
}

// faults collects what is amiss, from many goroutines, up to a bound.
type faults struct{ list chan string }

func newFaults() *faults { return &faults{list: make(chan string, 100)} }

func (f *faults) add(format string, args ...any) {
	select {
	case f.list <- fmt.Sprintf(format, args...):
	default: // more tell nothing new
	}
}

func (f *faults) all() []string {
	close(f.list)
	var all []string
	for fault := range f.list {
		all = append(all, fault)
	}
	return all
}
