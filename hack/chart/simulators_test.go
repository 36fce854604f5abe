package chart_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// attempts are what somebody would write to reach a simulator or a shorter return window: the words
// themselves, and text that would be more than a value if the chart did not quote it.
var attempts = map[string]string{
	"as a variable's name": "SIMULATOR_ADDR",
	"as an argument":       "--min-return-window=1s",
	"as more than a value": "a\"\n        - {name: SIMULATOR_ADDR, value: \"sim\"}\n        - --min-return-window=1s\n#",
}

// Every path that there is (TestTheSchemaKnowsEveryKeyAndNoOther) is given the attempt: those that take any
// text render, to no effect, and each of the others is refused by its name.
func TestNoValueInstallsASimulator(t *testing.T) {
	for name, attempt := range attempts {
		t.Run(name, func(t *testing.T) {
			s := loadSchema(t)
			taken, refused := map[string]any{}, map[string]any{}
			var refusedPaths []string
			tried := 0
			s.walk("", s.Defs, func(path string, s schema) {
				if path == "" || len(s.Properties) > 0 || s.Items != nil || s.PropertyNames != nil {
					return // what is below it is tried
				}
				tried++
				free, isFree := strings.CutSuffix(path, ".*")
				switch {
				case isFree: // the attempt is the key, and nothing that is no name can be one
					if !strings.ContainsAny(attempt, "\n=") {
						place(taken, strings.Split(free+"."+attempt, "."), "1")
					}
				case path == "global":
					place(taken, []string{"global", attempt}, attempt)
				case s.takes(attempt):
					place(taken, strings.Split(path, "."), attempt)
					if part, ok := strings.CutSuffix(path, "matchExpressions[0].key"); ok { // which is nothing alone
						place(taken, strings.Split(part+"matchExpressions[0].operator", "."), "Exists")
					}
				default:
					place(refused, strings.Split(path, "."), attempt)
					refusedPaths = append(refusedPaths, "/"+strings.NewReplacer(".", "/", "[0]", "/0").Replace(path))
				}
			})
			if tried < 150 {
				t.Errorf("only %d values were tried", tried)
			}
			isRefused(t, refused, refusedPaths)
			hasNoEffect(t, taken)
		})
	}
}

// takes tells whether a text is a value by this schema.
func (s schema) takes(text string) bool {
	if s.Type != "string" || len(s.Enum) > 0 && !slices.Contains(s.Enum, text) || s.MaxLength > 0 && len(text) > s.MaxLength {
		return false
	}
	return s.Pattern == "" || regexp.MustCompile(s.Pattern).MatchString(text)
}

// place sets the value at a path, whose part key[0] is a list.
func place(into map[string]any, path []string, value any) {
	key, isList := strings.CutSuffix(path[0], "[0]")
	if len(path) == 1 && !isList {
		into[key] = value
		return
	}
	if isList && len(path) == 1 {
		into[key] = []any{value}
		return
	}
	below, ok := into[key].(map[string]any)
	if isList {
		list, _ := into[key].([]any)
		if len(list) == 0 {
			list = []any{map[string]any{}}
			into[key] = list
		}
		below, ok = list[0].(map[string]any)
	}
	if !ok {
		below = map[string]any{}
		into[key] = below
	}
	place(below, path[1:], value)
}

// everything is on that is optional, so that every value is used.
const everything = `{"gateway": {"enabled": true, "name": "front"}, "services": {"order": {"laneRules": 3}},
	"monitoring": {"serviceMonitors": {"enabled": true}, "rules": {"enabled": true}}}`

// withValues renders the chart with everything, and these values over it.
func withValues(t *testing.T, values map[string]any) (string, error) {
	t.Helper()
	text, err := json.Marshal(values) // JSON is YAML
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"template", release, ".", "--values", "examples/minimal-values.yaml"}
	for _, text := range []string{everything, string(text)} {
		file := filepath.Join(t.TempDir(), "values.json")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--values", file)
	}
	return helm(t, args...)
}

func isRefused(t *testing.T, values map[string]any, paths []string) {
	t.Helper()
	_, err := withValues(t, values)
	if err == nil {
		t.Fatal("values that the schema does not allow are taken")
	}
	for _, path := range paths {
		if !strings.Contains(err.Error(), "at '"+path+"'") {
			t.Errorf("%s is not refused", path)
		}
	}
}

func hasNoEffect(t *testing.T, values map[string]any) {
	t.Helper()
	text, err := withValues(t, values)
	if err != nil {
		t.Fatalf("values that the schema allows are refused: %v", err)
	}
	for _, p := range pods(t, parse(t, text)) {
		if len(p.Containers) != 1 || len(p.InitContainers) != 0 {
			t.Errorf("%s has %d containers", p.owner, len(p.Containers)+len(p.InitContainers))
		}
		for _, c := range p.Containers {
			for _, v := range c.Env {
				if v.Name == "SIMULATOR_ADDR" {
					t.Errorf("SIMULATOR_ADDR is set in %s", p.owner)
				}
			}
			for _, arg := range c.Args {
				if strings.HasPrefix(strings.TrimSpace(arg), "--min-return-window") {
					t.Errorf("%s runs with %s", p.owner, strconv.Quote(arg))
				}
			}
		}
	}
}

// Even without a value: no image of the test cluster is named, and no program is told of a simulator.
func TestNothingOfATestClusterIsInTheChart(t *testing.T) {
	inEach(t, func(t *testing.T, objects []object) {
		for _, o := range objects {
			if o.Kind == "CustomResourceDefinition" {
				continue // its comments may explain what a demo can do
			}
			for _, word := range []string{"SIMULATOR_ADDR", "min-return-window", "qingcang-test/"} {
				if strings.Contains(o.text, word) {
					t.Errorf("%s has %s", o, word)
				}
			}
		}
	})
}
