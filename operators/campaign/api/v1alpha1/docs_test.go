package v1alpha1_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/qingcang/qingcang/operators/campaign/internal/teststack"
)

// page is what docs/ says of a kind.
func page(t *testing.T, kind string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/" + strings.ToLower(kind) + ".md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestEveryFieldIsOnItsPage looks for a row of each field, with its limits, values and default.
func TestEveryFieldIsOnItsPage(t *testing.T) {
	for _, crd := range crds(t) {
		text := page(t, crd.Spec.Names.Kind)
		schema := crd.Spec.Versions[0].Schema.OpenAPIV3Schema
		for _, root := range []string{"spec", "status"} {
			for place, field := range fields(root, schema.Properties[root]) {
				row := rowOf(text, strings.TrimPrefix(place, "spec."))
				if row == "" {
					t.Errorf("%s: no row of %s", crd.Spec.Names.Kind, place)
					continue
				}
				if root == "status" {
					continue
				}
				for _, want := range figures(t, field) {
					if !strings.Contains(row, want) {
						t.Errorf("%s: the row of %s lacks %s:\n%s", crd.Spec.Names.Kind, place, want, row)
					}
				}
			}
		}
	}
}

// rowOf is the row of a table whose first cell names a field.
func rowOf(text, field string) string {
	for line := range strings.Lines(text) {
		if cell, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " | "); strings.Contains(cell, "`"+field+"`") && strings.HasPrefix(line, "| ") {
			return line
		}
	}
	return ""
}

// fields are those below a place, by their own places. What Kubernetes defines ends there.
func fields(at string, s apiextensionsv1.JSONSchemaProps) map[string]apiextensionsv1.JSONSchemaProps {
	all := map[string]apiextensionsv1.JSONSchemaProps{}
	if s.Items != nil {
		at, s = at+"[]", *s.Items.Schema
	}
	for name, field := range s.Properties {
		place := at + "." + name
		all[place] = field
		if place == "status.conditions" {
			continue
		}
		for below, one := range fields(place, field) {
			all[below] = one
		}
	}
	return all
}

// figures are a field's limits, values and default, as a page writes them.
func figures(t *testing.T, s apiextensionsv1.JSONSchemaProps) []string {
	t.Helper()
	var all []string
	for _, n := range []*int64{s.MaxItems, s.MaxLength} {
		if n != nil {
			all = append(all, grouped(*n))
		}
	}
	for _, f := range []*float64{s.Minimum, s.Maximum} {
		if f != nil {
			all = append(all, grouped(int64(*f)))
		}
	}
	values := s.Enum
	if s.Items != nil {
		values = append(values, s.Items.Schema.Enum...)
	}
	for _, value := range values {
		all = append(all, "`"+decoded(t, value).(string)+"`")
	}
	if s.Default == nil {
		return all
	}
	switch value := decoded(t, *s.Default).(type) {
	case string:
		all = append(all, value, "default")
	case float64:
		all = append(all, "default "+strconv.FormatFloat(value, 'f', -1, 64))
	}
	return all
}

func decoded(t *testing.T, value apiextensionsv1.JSON) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(value.Raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// grouped writes 1000000 as 1,000,000.
func grouped(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// programConditions are the conditions and reasons that an OwnerProgram can have.
var programConditions = []string{"Ready", "Published", "AsWanted", "SignOffNotYet", "PublishFailed", "Ended"}

// TestEveryConditionAndReasonIsOnItsPage holds the pages against the constants.
func TestEveryConditionAndReasonIsOnItsPage(t *testing.T) {
	campaigns, programs := page(t, "Campaign"), page(t, "OwnerProgram")
	for name, value := range conditionConstants(t) {
		if name != "ReasonSignOffNotYet" && !mentions(campaigns, value) {
			t.Errorf("campaign.md does not explain %s", value)
		}
	}
	for _, value := range programConditions {
		if !mentions(programs, value) {
			t.Errorf("ownerprogram.md does not explain %s", value)
		}
	}
}

// mentions tells whether a table of conditions or reasons has a word.
func mentions(text, word string) bool {
	whole := regexp.MustCompile(`\b` + word + `\b`)
	_, tables, found := strings.Cut(text, "\n## Conditions and reasons\n")
	return found && whole.MatchString(tables)
}

// conditionConstants are the Condition… and Reason… constants of the package, by name.
func conditionConstants(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "conditions.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, is := n.(*ast.ValueSpec)
		if !is || !strings.HasPrefix(spec.Names[0].Name, "Condition") && !strings.HasPrefix(spec.Names[0].Name, "Reason") {
			return true
		}
		value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		all[spec.Names[0].Name] = value
		return true
	})
	if len(all) == 0 {
		t.Fatal("conditions.go has no constants")
	}
	return all
}

// TestTheAPIServerTakesWhatThePagesShow applies each whole manifest of the pages.
func TestTheAPIServerTakesWhatThePagesShow(t *testing.T) {
	stack := teststack.New(t)
	for _, kind := range []string{"Campaign", "OwnerProgram"} {
		for n, block := range blocks(page(t, kind)) {
			t.Run(fmt.Sprintf("%s %d", kind, n), func(t *testing.T) {
				object := &unstructured.Unstructured{}
				if err := yaml.UnmarshalStrict([]byte(block), &object.Object); err != nil {
					t.Fatal(err)
				}
				object.SetNamespace(stack.Namespace)
				wantAnswer(t, stack.Client.Create(t.Context(), object, client.DryRunAll), "")
			})
		}
	}
}

// blocks are the whole manifests among the YAML of a page.
func blocks(text string) []string {
	var all []string
	for _, part := range strings.Split(text, "```yaml\n")[1:] {
		if block, _, _ := strings.Cut(part, "```"); strings.HasPrefix(block, "apiVersion:") {
			all = append(all, block)
		}
	}
	return all
}

// explainWidth is what kubectl explain prints in a line; it breaks longer ones again, after each of ours.
const explainWidth = 76

// TestEveryFieldReadsWellInKubectlExplain looks for a description of each field, in lines that fit.
func TestEveryFieldReadsWellInKubectlExplain(t *testing.T) {
	for _, crd := range crds(t) {
		schema := crd.Spec.Versions[0].Schema.OpenAPIV3Schema
		for _, root := range []string{"spec", "status"} {
			for place, field := range fields(root, schema.Properties[root]) {
				if field.Description == "" {
					t.Errorf("%s: %s has no description", crd.Spec.Names.Kind, place)
				}
				for line := range strings.Lines(field.Description) {
					if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > explainWidth {
						t.Errorf("%s: %s: a line of %d characters: %s", crd.Spec.Names.Kind, place, n, line)
					}
				}
			}
		}
	}
}
