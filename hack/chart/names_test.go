package chart_test

import (
	"slices"
	"testing"

	"go.yaml.in/yaml/v3"
)

// What a person names may read as a number or a truth: the API server takes neither for a name.
func TestANameIsTextWhateverItReadsAs(t *testing.T) {
	for name, args := range variants {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := helm(t, append([]string{"template", "true", ".", "--namespace", "2026", "--values", "examples/minimal-values.yaml"}, args...)...)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range parse(t, text) {
				if o.Kind == "CustomResourceDefinition" {
					continue // whose names are generated, and are fields of a schema, too
				}
				var document yaml.Node
				if err := yaml.Unmarshal([]byte(o.text), &document); err != nil {
					t.Fatal(err)
				}
				for _, path := range namesThatAreNone(&document, o.String()) {
					t.Errorf("%s is no text", path)
				}
			}
		})
	}
}

var (
	// nameKeys hold a name, and nameMaps nothing but texts.
	nameKeys = []string{"name", "namespace", "secretName", "priorityClassName", "image"}
	nameMaps = []string{"labels", "annotations", "matchLabels", "nodeSelector"}
)

// namesThatAreNone returns the paths of names that YAML takes for something else than text.
func namesThatAreNone(node *yaml.Node, path string) []string {
	var out []string
	for i, child := range node.Content {
		if node.Kind != yaml.MappingNode {
			out = append(out, namesThatAreNone(child, path)...)
			continue
		}
		if i%2 == 0 {
			continue // a key
		}
		key := node.Content[i-1].Value
		below := path + "." + key
		if slices.Contains(nameKeys, key) && child.Kind == yaml.ScalarNode && child.Tag != "!!str" {
			out = append(out, below)
		}
		if slices.Contains(nameMaps, key) && child.Kind == yaml.MappingNode {
			for at := 1; at < len(child.Content); at += 2 {
				if child.Content[at].Tag != "!!str" {
					out = append(out, below+"."+child.Content[at-1].Value)
				}
			}
		}
		out = append(out, namesThatAreNone(child, below)...)
	}
	return out
}
