package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/qingcang/qingcang/hack/chart"
	"github.com/qingcang/qingcang/hack/internal/suite"
)

// scrapeTimeout bounds one look at a process's metrics.
const scrapeTimeout = 10 * time.Second

// everyMetricIsMeasured looks, after the story, for each metric and each route that the chart's dashboards and alerts ask.
func everyMetricIsMeasured(ctx context.Context, out io.Writer, s *suite.Suite) error {
	queries, err := chart.Queries(s.Root())
	if err != nil {
		return err
	}
	exposed := chart.NewExposed()
	urls := s.MetricsURLs()
	for _, process := range slices.Sorted(maps.Keys(urls)) {
		if err := scrape(ctx, urls[process], exposed); err != nil {
			return fmt.Errorf("read the metrics of %s: %w", process, err)
		}
	}
	missing, err := exposed.Missing(queries)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return fmt.Errorf("of the chart's dashboards and alerts\n  %s", strings.Join(missing, "\n  "))
	}
	_, err = fmt.Fprintf(out, "\nAnd all that the chart's dashboards and alerts ask, in %d queries, %d processes measure.\n", len(queries), len(urls))
	return err
}

// scrape adds what a process measures.
func scrape(ctx context.Context, url string, into chart.Exposed) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	response, err := (&http.Client{Timeout: scrapeTimeout}).Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // only read
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", url, response.Status)
	}
	return into.Read(response.Body)
}
