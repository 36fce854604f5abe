package v1alpha1_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

// sentences are all that the tables want of the API server, without the numbers of list entries.
func sentences() []string {
	all := []string{laneSentence}
	for _, table := range []map[string]refused{refusedCampaigns, refusedPrograms} {
		for _, tc := range table {
			all = append(all, tc.want)
		}
	}
	for _, tc := range changedCampaigns {
		all = append(all, tc.want)
	}
	for i, s := range all {
		all[i] = entryNumber.ReplaceAllString(s, "[]")
	}
	return all
}

var entryNumber = regexp.MustCompile(`\[[0-9]+\]`)

// TestEveryLimitIsRefusedOnce looks for a case of each rule and each limit of the schemas: a manifest of
// the tables above that is just over it, and is refused with its sentence.
func TestEveryLimitIsRefusedOnce(t *testing.T) {
	wanted := sentences()
	for _, crd := range crds(t) {
		spec := crd.Spec.Versions[0].Schema.OpenAPIV3Schema
		for _, limit := range limits("", *spec) {
			if !slices.ContainsFunc(wanted, limit.said) {
				t.Errorf("%s: no case is refused with: %s", crd.Spec.Names.Kind, limit.words())
			}
		}
	}
}

// limit is what the API server says of a value that is over one: a place, and words in which … stands for
// what the value was.
type limit struct{ place, says string }

func (l limit) words() string { return l.place + l.says }

// said tells whether a case wants these words.
func (l limit) said(want string) bool {
	before, after, _ := strings.Cut(l.says, "…")
	return strings.Contains(want, l.place+before) && strings.Contains(want, after)
}

// limits are those of a schema and what is in it. Of a status only the rules count: the operator writes
// it, and its numbers have no edges that a person could meet.
func limits(at string, s apiextensionsv1.JSONSchemaProps) []limit {
	var all []limit
	for _, rule := range s.XValidations {
		all = append(all, limit{says: rule.Message})
	}
	if strings.HasPrefix(at, "spec") {
		all = append(all, numbers(at, s)...)
	}
	for name, property := range s.Properties {
		all = append(all, limits(strings.TrimPrefix(at+"."+name, "."), property)...)
	}
	if s.Items != nil {
		all = append(all, limits(at+"[]", *s.Items.Schema)...)
	}
	return all
}

func numbers(at string, s apiextensionsv1.JSONSchemaProps) []limit {
	var all []limit
	add := func(format string, args ...any) { all = append(all, limit{at, fmt.Sprintf(format, args...)}) }
	if s.Minimum != nil {
		add(" in body should be greater than or equal to %.0f", *s.Minimum)
	}
	if s.Maximum != nil {
		add(" in body should be less than or equal to %.0f", *s.Maximum)
	}
	if s.MinLength != nil {
		add(" in body should be at least %d chars long", *s.MinLength)
	}
	if s.MaxLength != nil {
		add(": Too long: may not be more than %d", *s.MaxLength)
	}
	if s.MinItems != nil {
		add(" in body should have at least %d items", *s.MinItems)
	}
	if s.MaxItems != nil {
		add(": Too many: …: must have at most %d items", *s.MaxItems)
	}
	if len(s.Enum) > 0 {
		add(": Unsupported value: ")
	}
	if s.XListType != nil && *s.XListType != "atomic" {
		all = append(all, limit{at, "[]: Duplicate value: "})
	}
	for _, name := range s.Required {
		all = append(all, limit{at + "." + name, ": Required value"})
	}
	return all
}

// crds are the committed ones.
func crds(t *testing.T) []apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	files, err := filepath.Glob("../../config/crd/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no CRDs: %v", err)
	}
	all := make([]apiextensionsv1.CustomResourceDefinition, len(files))
	for i, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.UnmarshalStrict(text, &all[i]); err != nil {
			t.Fatal(err)
		}
	}
	return all
}
