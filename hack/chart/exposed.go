package chart

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
)

// Exposed is what processes measure: the names of their metrics, and the routes that they have served.
type Exposed struct{ metrics, routes map[string]bool }

// NewExposed returns one of no process.
func NewExposed() Exposed { return Exposed{metrics: map[string]bool{}, routes: map[string]bool{}} }

const (
	// up is Prometheus's own metric of what it scrapes.
	up         = "up"
	routeLabel = "http_route"
)

var routeOfSeries = regexp.MustCompile(`\b` + routeLabel + `="([^"]*)"`)

// Read adds what a process says in Prometheus's text format.
func (e Exposed) Read(r io.Reader) error {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "#") {
			continue
		}
		if end := strings.IndexAny(line, "{ "); end > 0 {
			e.metrics[line[:end]] = true
		}
		if found := routeOfSeries.FindStringSubmatch(line); found != nil {
			e.routes[found[1]] = true
		}
	}
	return lines.Err()
}

// Missing says for each metric and each route that is asked and not there who asks it. A route is one only
// after it was served.
func (e Exposed) Missing(queries []Query) ([]string, error) {
	var missing []string
	for _, q := range queries {
		selectors, err := q.Selectors()
		if err != nil {
			return nil, err
		}
		for _, name := range slices.Sorted(maps.Keys(selectors)) {
			if name != up && !e.metrics[name] {
				missing = append(missing, fmt.Sprintf("%s asks %s, which nobody measures", q.Where, name))
			}
			for _, route := range routesOf(selectors[name]) {
				if !e.routes[route] {
					missing = append(missing, fmt.Sprintf("%s asks %s of the route %s, which nobody has served", q.Where, name, route))
				}
			}
		}
	}
	return missing, nil
}

// routesOf lists the routes that matchers name, one or a choice of them.
func routesOf(matchers []*labels.Matcher) []string {
	var routes []string
	for _, m := range matchers {
		if m.Name == routeLabel {
			routes = append(routes, strings.Split(m.Value, "|")...)
		}
	}
	slices.Sort(routes)
	return slices.Compact(routes)
}
