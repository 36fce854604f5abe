package v1alpha1_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/qingcang/qingcang/operators/campaign/internal/teststack"
)

const samples = "../../config/samples"

// TestTheSamplesGetTheirAnswers asks the API server about each sample: it takes all but those in refused/,
// which are refused with the sentence in their own comment.
func TestTheSamplesGetTheirAnswers(t *testing.T) {
	stack := teststack.New(t)
	for _, file := range sampleFiles(t) {
		name := strings.TrimPrefix(file, samples+"/")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want := refusalIn(string(text))
			if strings.HasPrefix(name, "refused/") != (want != "") {
				t.Fatalf("its comment promises %q", want)
			}
			sample := &unstructured.Unstructured{}
			if err := yaml.UnmarshalStrict(text, &sample.Object); err != nil {
				t.Fatal(err)
			}
			sample.SetNamespace(stack.Namespace)
			wantAnswer(t, stack.Client.Create(t.Context(), sample, client.DryRunAll), want)
		})
	}
}

// refusalIn is the indented part of a sample's comment, in one line.
func refusalIn(text string) string {
	var words []string
	for line := range strings.Lines(text) {
		if quoted, is := strings.CutPrefix(line, "#   "); is && !strings.Contains(line, "kubectl") {
			words = append(words, strings.Fields(quoted)...)
		}
	}
	return strings.Join(words, " ")
}

func sampleFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	for _, pattern := range []string{"*.yaml", "*/*.yaml"} {
		some, err := filepath.Glob(filepath.Join(samples, pattern))
		if err != nil || len(some) == 0 {
			t.Fatalf("no samples in %s: %v", pattern, err)
		}
		files = append(files, some...)
	}
	return files
}
