package chart_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/qingcang/qingcang/hack/chart"
)

func queries(t testing.TB) []chart.Query {
	t.Helper()
	all, err := chart.Queries(root(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 50 {
		t.Fatalf("only %d queries were found", len(all))
	}
	return all
}

// That each metric, label and route exists is proved at the end of the demo's story, which reads them from the processes.
func TestEveryQueryIsPromQLAboutThisRelease(t *testing.T) {
	for _, q := range queries(t) {
		selectors, err := q.Selectors()
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		if len(selectors) == 0 {
			t.Errorf("%s asks nothing", q.Where)
		}
		for metric, matchers := range selectors {
			if !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return m.Name == "namespace" && m.Value == "sale" }) {
				t.Errorf("%s asks %s of every namespace", q.Where, metric)
			}
		}
	}
}

func TestAQueryThatNobodyAnswersIsFound(t *testing.T) {
	all := []chart.Query{
		{Where: "alert A", Expr: `rate(there_total{namespace="$namespace"}[5m]) > 0`},
		{Where: "panel B", Expr: `sum(there_total) / on(job) sum by (job) (gone{job="x"})`},
		{Where: "panel C", Expr: `there_total{http_route=~"/a/:id|/b"} / there_total{http_route=~"/a/:id|/b"}`},
		{Where: "panel D", Expr: `max by (pod) (sum by (pod, code, method) (there_total{job="x", state="sold"}))`},
	}
	exposed := chart.NewExposed()
	for _, process := range []string{"# HELP gone of another version\nthere_total 1\n", `there_total{http_route="/a/:id",code="20\"0",kind="state=\"sold\""} 2` + "\n"} {
		if err := exposed.Read(strings.NewReader(process)); err != nil {
			t.Fatal(err)
		}
	}
	missing, err := exposed.Missing(all)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"panel B asks gone, which nobody measures", "panel C asks there_total of the route /b, which nobody has served",
		"panel D asks there_total by method, which it does not have", "panel D asks there_total by state, which it does not have",
	}
	if !slices.Equal(missing, want) {
		t.Errorf("got %q, want %q", missing, want)
	}
	if _, err := exposed.Missing([]chart.Query{{Where: "alert C", Expr: "sum by (a) (b"}}); err == nil || !strings.Contains(err.Error(), "alert C") {
		t.Errorf("what is no PromQL is taken: %v", err)
	}
}

// A route is named as the router names it, ":id" where the document has "{id}". That it is so in the metrics,
// too, the demo's story proves.
func TestEveryRouteOfAQueryIsAnAPIs(t *testing.T) {
	routes := map[string]bool{}
	files, err := filepath.Glob(filepath.Join(root(t), "services", "*", "api", "openapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`(?m)^  (/\S+):$`).FindAllStringSubmatch(string(text), -1) {
			routes[strings.NewReplacer("{", ":", "}", "").Replace(found[1])] = true
		}
	}
	for _, q := range queries(t) {
		selectors, err := q.Selectors()
		if err != nil {
			t.Fatal(err)
		}
		for _, matchers := range selectors {
			for _, m := range matchers {
				if m.Name != "http_route" {
					continue
				}
				for route := range strings.SplitSeq(m.Value, "|") {
					if !routes[route] {
						t.Errorf("%s asks for the route %s, which no service has", q.Where, route)
					}
				}
			}
		}
	}
}

// alert is a rule of a PrometheusRule.
type alert struct {
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

func TestEveryAlertLeadsToWhatToDo(t *testing.T) {
	var rules struct {
		Groups []struct {
			Rules []alert `yaml:"rules"`
		} `yaml:"groups"`
	}
	objects := render(t, set("monitoring.rules.enabled=true", "monitoring.runbooks=https://docs.example.com/RUNBOOK.md")...)
	named(t, objects, "PrometheusRule", release).spec(t, &rules)
	sections := headings(chartFile(t, "RUNBOOK.md"))
	known := map[string]bool{}
	for _, group := range rules.Groups {
		for _, a := range group.Rules {
			anchor := strings.ToLower(a.Alert)
			known[anchor] = true
			if a.Annotations["runbook_url"] != "https://docs.example.com/RUNBOOK.md#"+anchor || !sections[anchor] {
				t.Errorf("%s leads to %s, where nothing is", a.Alert, a.Annotations["runbook_url"])
			}
			if !slices.Contains([]string{"critical", "warning"}, a.Labels["severity"]) || a.Annotations["summary"] == "" {
				t.Errorf("%s has the labels %v and the annotations %v", a.Alert, a.Labels, a.Annotations)
			}
			if strings.Contains(a.Expr, "$") || !strings.Contains(a.Expr, `namespace="`+namespace+`"`) {
				t.Errorf("%s asks %s", a.Alert, a.Expr)
			}
		}
	}
	for _, section := range regexp.MustCompile(`(?m)^### (\w+)$`).FindAllStringSubmatch(chartFile(t, "RUNBOOK.md"), -1) {
		if !known[strings.ToLower(section[1])] {
			t.Errorf("RUNBOOK.md has %s, and no alert leads there", section[1])
		}
	}
}

// Prometheus has no series of what it does not scrape, so that each part is asked for by its name.
func TestEveryPartThatIsGoneIsTold(t *testing.T) {
	asked := map[string]bool{}
	for _, q := range queries(t) {
		if !strings.Contains(q.Expr, "absent(") {
			continue
		}
		selectors, err := q.Selectors()
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range selectors["up"] {
			if m.Name == "job" && m.Type == labels.MatchEqual {
				asked[m.Value] = true
			}
		}
	}
	for _, o := range ofKind(render(t), "Deployment") {
		part := strings.TrimPrefix(o.Metadata.Name, release+"-")
		if !asked[part] {
			t.Errorf("no alert tells that %s is gone", part)
		}
		delete(asked, part)
	}
	for part := range asked {
		t.Errorf("an alert asks for %s, which the chart does not install", part)
	}
}

// headings are a page's anchors, as GitHub makes them.
func headings(page string) map[string]bool {
	out := map[string]bool{}
	for _, found := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(page, -1) {
		anchor := regexp.MustCompile(`[^a-z0-9 -]`).ReplaceAllString(strings.ToLower(found[1]), "")
		out[strings.ReplaceAll(anchor, " ", "-")] = true
	}
	return out
}

var link = regexp.MustCompile(`\]\(([^)#:]+)?(?:#([^)]+))?\)`)

func TestEveryLinkOfTheChartsPagesLeadsSomewhere(t *testing.T) {
	for _, page := range []string{"README.md", "RUNBOOK.md", "ACLS.md"} {
		for _, found := range link.FindAllStringSubmatch(chartFile(t, page), -1) {
			target := found[1]
			if target == "" {
				target = page
			}
			text, err := os.ReadFile(filepath.Join(root(t), chart.Dir, target))
			if err != nil {
				t.Errorf("%s: %v", page, err)
			}
			if found[2] != "" && !headings(string(text))[found[2]] {
				t.Errorf("%s: %s has no #%s", page, target, found[2])
			}
		}
	}
}

// panel is as much of Grafana's JSON as a test looks at.
type panel struct {
	Type    string         `json:"type"`
	Title   string         `json:"title"`
	GridPos map[string]int `json:"gridPos"`
	Targets []struct {
		Expr       string            `json:"expr"`
		Datasource map[string]string `json:"datasource"`
	} `json:"targets"`
}

func TestEveryDashboardIsGrafanasAndShowsAllItsPanels(t *testing.T) {
	asked := map[string]bool{}
	boards := ofKind(render(t), "ConfigMap")
	if len(boards) != 3 {
		t.Errorf("%d dashboards, want a sale as it runs, money, and lag", len(boards))
	}
	for _, o := range boards {
		if o.Metadata.Labels["grafana_dashboard"] != "1" {
			t.Errorf("%s is not found by Grafana", o)
		}
		for name, text := range o.Data {
			var board struct {
				Title, UID string
				Panels     []panel
			}
			if err := json.Unmarshal([]byte(text), &board); err != nil {
				t.Fatalf("%s: %v", o, err)
			}
			if name != board.UID+".json" || board.Title == "" {
				t.Errorf("%s has the name %s and the title %q", o, name, board.Title)
			}
			places := map[string]bool{}
			for _, p := range board.Panels {
				place := fmt.Sprint(p.GridPos["x"], p.GridPos["y"])
				if places[place] || p.GridPos["x"]+p.GridPos["w"] > 24 {
					t.Errorf("%s: the panel %q lies on another, or outside: %v", board.Title, p.Title, p.GridPos)
				}
				places[place] = true
				for _, target := range p.Targets {
					asked[target.Expr] = true
				}
			}
		}
	}
	for _, q := range queries(t) {
		if strings.HasPrefix(q.Where, "dashboard") && !asked[q.Expr] {
			t.Errorf("%s is not shown", q.Where)
		}
	}
}
