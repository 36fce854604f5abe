package systems

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/qingcang/qingcang/proto/eventkit"
)

// Writes are what has been written for campaigns since the processes that count them began.
type Writes struct {
	// API are the API server's, of whatever kind.
	API int64
	// Records are those in campaigns.v1.
	Records int64
}

// Writes counts. Nobody writes to this API server but the operator and the bench.
func (o *Operator) Writes(ctx context.Context) (Writes, error) {
	text, err := o.admin(ctx, "", "get", "--raw", "/metrics")
	if err != nil {
		return Writes{}, err
	}
	w := Writes{API: writesIn(text)}
	topic, _ := eventkit.TopicNamed(desiredTopic) // it is in the list: the operator would not have started
	for partition := range topic.Partitions {
		end, err := o.conn.EndOffset(ctx, desiredTopic, partition)
		if err != nil {
			return Writes{}, err
		}
		w.Records += end
	}
	return w, nil
}

// requestMetric counts what the API server was asked for.
const requestMetric = "apiserver_request_total{"

// own are the leases by which API servers know of each other: the only thing that one writes for itself
// in the time of a run. The operator, started without --leader-elect, writes none.
const own = `resource="leases"`

// writesIn adds up the writes in the API server's metrics.
func writesIn(text string) (sum int64) {
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, requestMetric) || !isWrite(line) {
			continue
		}
		fields := strings.Fields(line)
		n, err := strconv.ParseFloat(fields[len(fields)-1], 64)
		if err != nil {
			continue // a label with a space; none of these has one
		}
		sum += int64(n)
	}
	return sum
}

func isWrite(line string) bool {
	if strings.Contains(line, own) {
		return false
	}
	for _, verb := range []string{"POST", "PUT", "PATCH", "APPLY", "DELETE", "DELETECOLLECTION"} {
		if strings.Contains(line, `verb="`+verb+`"`) {
			return true
		}
	}
	return false
}

// scrape asks a process on this machine.
var scrape = &http.Client{Timeout: 5 * time.Second}

// Reconciled is how often the operator has looked at a campaign since it was started.
func (o *Operator) Reconciled(ctx context.Context) (int64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+o.metrics+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	answer, err := scrape.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = answer.Body.Close() }()
	return reconciledIn(answer.Body)
}

func reconciledIn(text io.Reader) (sum int64, err error) {
	lines := bufio.NewScanner(text)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if !strings.HasPrefix(line, "controller_runtime_reconcile_total{") || !strings.Contains(line, `controller="campaign"`) {
			continue
		}
		n, err := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
		if err != nil {
			return 0, fmt.Errorf("read %q: %w", line, err)
		}
		sum += int64(n)
	}
	return sum, lines.Err()
}

// PeakBytes is the most memory that the operator's process ever had, as the kernel counted it.
func (o *Operator) PeakBytes() (int64, error) {
	pid, err := o.PID()
	if err != nil {
		return 0, err
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("process %d does not say its peak", pid)
}

const (
	// quietFor is how long nothing may be written for the operator to be at rest.
	quietFor = 3 * time.Second
	// quietWithin bounds the wait for that.
	quietWithin = 2 * time.Minute
)

// Quiet waits until nothing has been written for a while and returns the counts.
func (o *Operator) Quiet(ctx context.Context) (Writes, error) {
	before, err := o.Writes(ctx)
	if err != nil {
		return Writes{}, err
	}
	for end := time.Now().Add(quietWithin); time.Now().Before(end); {
		select {
		case <-ctx.Done():
			return Writes{}, ctx.Err()
		case <-time.After(quietFor):
		}
		now, err := o.Writes(ctx)
		if err != nil || now == before {
			return now, err
		}
		before = now
	}
	return Writes{}, fmt.Errorf("the operator is not at rest after %s", quietWithin)
}
