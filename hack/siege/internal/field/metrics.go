package field

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// Metrics reads all series of a replica, by name and labels as they are written.
func (f *Field) Metrics(ctx context.Context, replica string) (map[string]float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+f.addresses.metrics[replica]+"/metrics", http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("read the metrics of %s: %w", replica, err)
	}
	answer, err := f.scraper.Do(request)
	if err != nil {
		return nil, fmt.Errorf("read the metrics of %s: %w", replica, err)
	}
	defer func() { _ = answer.Body.Close() }() // it was only read
	return readMetrics(answer.Body)
}

func readMetrics(text io.Reader) (map[string]float64, error) {
	series := map[string]float64{}
	lines := bufio.NewScanner(text)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		at := strings.LastIndexByte(lines.Text(), ' ')
		if at < 0 || strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		value, err := strconv.ParseFloat(lines.Text()[at+1:], 64)
		if err != nil {
			return nil, fmt.Errorf("a metric: %w", err)
		}
		series[lines.Text()[:at]] = value
	}
	return series, lines.Err()
}

// Goroutines is how many goroutines a replica has.
func (f *Field) Goroutines(ctx context.Context, replica string) (int, error) {
	series, err := f.Metrics(ctx, replica)
	if err != nil {
		return 0, err
	}
	for name, value := range series {
		if strings.HasPrefix(name, "go_goroutine_count") {
			return int(value), nil
		}
	}
	return 0, fmt.Errorf("%s tells no number of goroutines", replica)
}

// Served counts the orders that the replicas have answered with a status, and how many of these
// within a bound in seconds, both by their own measure. The bound is one of their histogram's.
func (f *Field) Served(ctx context.Context, status int, bound string) (all, within float64, err error) {
	code := fmt.Sprintf(`http_response_status_code="%d"`, status)
	for _, replica := range Replicas {
		series, err := f.Metrics(ctx, replica)
		if err != nil {
			return 0, 0, err
		}
		for name, value := range series {
			switch {
			case !strings.HasPrefix(name, "http_server_request_duration_seconds_bucket{") || !strings.Contains(name, code):
			case strings.Contains(name, `le="+Inf"`):
				all += value
			case strings.Contains(name, `le="`+bound+`"`):
				within += value
			}
		}
	}
	return all, within, nil
}
