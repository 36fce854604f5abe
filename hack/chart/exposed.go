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

// Exposed is what processes measure: the labels of their metrics, and the routes that they have served.
type Exposed struct {
	metrics map[string]map[string]bool
	routes  map[string]bool
}

// NewExposed returns one of no process.
func NewExposed() Exposed {
	return Exposed{metrics: map[string]map[string]bool{}, routes: map[string]bool{}}
}

const (
	// up is Prometheus's own metric of what it scrapes.
	up         = "up"
	routeLabel = "http_route"
)

// labelOfSeries finds a label with its value; a quotation mark within a value stands behind a backslash.
var labelOfSeries = regexp.MustCompile(`(\w+)="((?:[^"\\]|\\.)*)"`)

// Read adds what a process says in Prometheus's text format.
func (e Exposed) Read(r io.Reader) error {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "#") {
			continue
		}
		end := strings.IndexAny(line, "{ ")
		if end <= 0 {
			continue
		}
		name := line[:end]
		if e.metrics[name] == nil {
			e.metrics[name] = map[string]bool{}
		}
		for _, found := range labelOfSeries.FindAllStringSubmatch(line[end:], -1) {
			e.metrics[name][found[1]] = true
			if found[1] == routeLabel {
				e.routes[found[2]] = true
			}
		}
	}
	return lines.Err()
}

// Missing says for each metric, label and route that is asked and not there who asks it. A route is one only
// after it was served.
func (e Exposed) Missing(queries []Query) ([]string, error) {
	var missing []string
	for _, q := range queries {
		lacking, err := e.lacking(q)
		if err != nil {
			return nil, err
		}
		for _, what := range lacking {
			missing = append(missing, q.Where+" asks "+what)
		}
	}
	return missing, nil
}

// lacking says what of a query is not there.
func (e Exposed) lacking(q Query) ([]string, error) {
	selectors, err := q.Selectors()
	if err != nil {
		return nil, err
	}
	asked, err := q.Labels()
	if err != nil {
		return nil, err
	}
	delete(selectors, up)
	var out []string
	for _, name := range slices.Sorted(maps.Keys(selectors)) {
		if e.metrics[name] == nil {
			out = append(out, name+", which nobody measures")
			continue
		}
		for _, label := range asked[name] {
			if !e.metrics[name][label] {
				out = append(out, fmt.Sprintf("%s by %s, which it does not have", name, label))
			}
		}
		for _, route := range routesOf(selectors[name]) {
			if !e.routes[route] {
				out = append(out, fmt.Sprintf("%s of the route %s, which nobody has served", name, route))
			}
		}
	}
	return out, nil
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
