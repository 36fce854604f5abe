package chart_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/qingcang/qingcang/hack/chart"
)

// chartFile reads a file of the chart.
func chartFile(t testing.TB, parts ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{root(t), chart.Dir}, parts...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAllIsInstalledFromFifteenLinesOfValues(t *testing.T) {
	text := chartFile(t, "examples", "minimal-values.yaml")
	if lines := strings.Count(text, "\n"); lines > 15 {
		t.Errorf("the minimal values have %d lines, want at most 15", lines)
	}
	objects := render(t)
	for _, name := range []string{"brand-intake", "catalog", "store-owner", "order", "fulfilment", "campaign-operator"} {
		named(t, objects, "Deployment", release+"-"+name)
		named(t, objects, "Service", release+"-"+name)
	}
}

func TestHelmHasNothingToComplainOf(t *testing.T) {
	for name, args := range variants {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if out, err := helm(t, append([]string{"lint", ".", "--strict", "--values", "examples/minimal-values.yaml"}, args...)...); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// schema is as much of JSON Schema as values.schema.json has.
type schema struct {
	Ref                  string            `json:"$ref"`
	Type                 string            `json:"type"`
	Properties           map[string]schema `json:"properties"`
	AdditionalProperties json.RawMessage   `json:"additionalProperties"`
	PropertyNames        *schema           `json:"propertyNames"`
	Items                *schema           `json:"items"`
	Enum                 []string          `json:"enum"`
	Pattern              string            `json:"pattern"`
	MaxItems             int               `json:"maxItems"`
	MaxProperties        int               `json:"maxProperties"`
	MaxLength            int               `json:"maxLength"`
	AnyOf                []schema          `json:"anyOf"`
	Defs                 map[string]schema `json:"$defs"`
}

func loadSchema(t testing.TB) schema {
	t.Helper()
	var s schema
	if err := json.Unmarshal([]byte(chartFile(t, "values.schema.json")), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// walk visits every value that the schema knows; a list's entry is KEY[0], a free key KEY.*.
func (s schema) walk(path string, defs map[string]schema, visit func(path string, s schema)) {
	if s.Ref != "" {
		s = defs[strings.TrimPrefix(s.Ref, "#/$defs/")]
	}
	visit(path, s)
	for name, property := range s.Properties {
		property.walk(strings.TrimPrefix(path+"."+name, "."), defs, visit)
	}
	if s.Items != nil {
		s.Items.walk(path+"[0]", defs, visit)
	}
	if s.PropertyNames != nil {
		visit(path+".*", schema{Type: "string"})
	}
}

func TestTheSchemaKnowsEveryKeyAndNoOther(t *testing.T) {
	s := loadSchema(t)
	s.walk("", s.Defs, func(path string, s schema) {
		switch {
		case path == "global": // Helm's own, and nothing here reads it
		case s.Type == "object" && s.PropertyNames == nil && string(s.AdditionalProperties) != "false":
			t.Errorf("%q takes any key", path)
		case s.PropertyNames != nil && s.MaxProperties == 0:
			t.Errorf("%q takes any number of keys", path)
		case s.Type == "array" && (s.MaxItems == 0 || s.Items == nil):
			t.Errorf("%q takes any list", path)
		}
	})
}

// leaves are the keys of values.yaml that hold no further ones.
func leaves(t testing.TB) []string {
	t.Helper()
	var values map[string]any
	if err := yaml.Unmarshal([]byte(chartFile(t, "values.yaml")), &values); err != nil {
		t.Fatal(err)
	}
	var out []string
	var walk func(path string, value any)
	walk = func(path string, value any) {
		below, ok := value.(map[string]any)
		if !ok || len(below) == 0 {
			out = append(out, path)
			return
		}
		for key, v := range below {
			walk(strings.TrimPrefix(path+"."+key, "."), v)
		}
	}
	walk("", values)
	return out
}

var serviceKey = regexp.MustCompile(`^services\.[a-z-]+\.`)

// In README.md a service's key stands once for all (services.NAME.replicas), resources as one.
func TestEveryValueIsExplained(t *testing.T) {
	text := chartFile(t, "README.md")
	for _, key := range leaves(t) {
		if key != "services.order.laneRules" && key != "services.store-owner.program" {
			key = serviceKey.ReplaceAllString(key, "services.NAME.")
		}
		key, _, _ = strings.Cut(key, ".resources.")
		if strings.HasPrefix(key, "monitoring.dashboards.labels") {
			key = "monitoring.dashboards.labels"
		}
		if !strings.Contains(text, "`"+key+"`") && !strings.Contains(text, "`"+key+".resources`") {
			t.Errorf("README.md does not explain %s", key)
		}
	}
	s := loadSchema(t)
	s.walk("", s.Defs, func(path string, s schema) {
		if len(s.Properties) > 0 || path == "" || path == "global" || strings.ContainsAny(path, "[*") {
			return
		}
		name, rest, _ := strings.Cut(path, ".")
		if !strings.Contains(chartFile(t, "values.yaml"), "\n"+name+":") {
			t.Errorf("values.yaml has no %s (%s)", name, rest)
		}
	})
}
