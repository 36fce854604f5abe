// Package chart looks into charts/qingcang: what its dashboards and alerts ask Prometheus.
package chart

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"
)

// Dir is the chart, from the root of the repository.
const Dir = "charts/qingcang"

// Query is an expression of a panel or an alert.
type Query struct {
	// Where names the dashboard and panel, or the alert.
	Where string
	Expr  string
}

// dashboard is a file of files/dashboards: what differs between dashboards.
type dashboard struct {
	Title string `yaml:"title"`
	Rows  []struct {
		Title  string `yaml:"title"`
		Panels []struct {
			Title   string `yaml:"title"`
			Queries []struct {
				Expr string `yaml:"expr"`
			} `yaml:"queries"`
		} `yaml:"panels"`
	} `yaml:"rows"`
}

// alerts is files/alerts.yaml.
type alerts struct {
	Groups []struct {
		Name  string `yaml:"name"`
		Rules []struct {
			Alert string `yaml:"alert"`
			Expr  string `yaml:"expr"`
		} `yaml:"rules"`
	} `yaml:"groups"`
}

// Queries returns what all panels and alerts of the chart below root ask.
func Queries(root string) ([]Query, error) {
	files := filepath.Join(root, Dir, "files")
	boards, err := filepath.Glob(filepath.Join(files, "dashboards", "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("list the dashboards: %w", err)
	}
	var out []Query
	for _, file := range boards {
		var board dashboard
		if err := readYAML(file, &board); err != nil {
			return nil, err
		}
		for _, row := range board.Rows {
			for _, panel := range row.Panels {
				for _, q := range panel.Queries {
					out = append(out, Query{Where: fmt.Sprintf("dashboard %q, panel %q", board.Title, panel.Title), Expr: q.Expr})
				}
			}
		}
	}
	var rules alerts
	if err := readYAML(filepath.Join(files, "alerts.yaml"), &rules); err != nil {
		return nil, err
	}
	for _, group := range rules.Groups {
		for _, rule := range group.Rules {
			out = append(out, Query{Where: "alert " + rule.Alert, Expr: rule.Expr})
		}
	}
	return out, nil
}

func readYAML(file string, into any) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := yaml.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// Selectors returns, for each metric that the query asks, its label matchers.
func (q Query) Selectors() (map[string][]*labels.Matcher, error) {
	out := map[string][]*labels.Matcher{}
	err := q.visit(func(selector *parser.VectorSelector, _ []parser.Node) {
		out[selector.Name] = append(out[selector.Name], selector.LabelMatchers...)
	})
	return out, err
}

// scraped are the labels that Prometheus itself gives a series, and its word for the metric's name.
var scraped = []string{"__name__", "namespace", "job", "pod"}

// Labels returns, for each metric that the query asks, the labels that the process has to give it: those by which
// the query chooses, and those by which it adds up.
func (q Query) Labels() (map[string][]string, error) {
	out := map[string][]string{}
	err := q.visit(func(selector *parser.VectorSelector, around []parser.Node) {
		var asked []string
		for _, m := range selector.LabelMatchers {
			asked = append(asked, m.Name)
		}
		for _, node := range around {
			if sum, ok := node.(*parser.AggregateExpr); ok && !sum.Without {
				asked = append(asked, sum.Grouping...)
			}
		}
		out[selector.Name] = append(out[selector.Name], slices.DeleteFunc(asked, func(label string) bool { return slices.Contains(scraped, label) })...)
	})
	for metric, asked := range out {
		slices.Sort(asked)
		out[metric] = slices.Compact(asked)
	}
	return out, err
}

// visit shows each selector with the expressions around it. Grafana's variables, which PromQL does not know, are
// taken for what they stand for.
func (q Query) visit(selector func(s *parser.VectorSelector, around []parser.Node)) error {
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(strings.NewReplacer("$__rate_interval", "1m", "$namespace", "sale").Replace(q.Expr))
	if err != nil {
		return fmt.Errorf("%s: %w", q.Where, err)
	}
	parser.Inspect(expr, func(node parser.Node, around []parser.Node) error {
		if s, ok := node.(*parser.VectorSelector); ok {
			selector(s, around)
		}
		return nil
	})
	return nil
}
