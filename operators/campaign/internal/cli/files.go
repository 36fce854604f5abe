package cli

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

// maxFile is more than a list of the largest objects that an API server takes.
const maxFile = 16 << 20

// manifests are the programmes and campaigns of files.
type manifests struct {
	programs  []*v1alpha1.OwnerProgram
	campaigns []*v1alpha1.Campaign
}

// read takes a file, "-" for standard input, of one or more documents in.
func (m *manifests) read(path string, stdin io.Reader) error {
	in := stdin
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close() //nolint:errcheck // it was only read
		in = file
	}
	text, err := io.ReadAll(io.LimitReader(in, maxFile+1))
	switch {
	case err != nil:
		return fmt.Errorf("read %s: %w", path, err)
	case len(text) > maxFile:
		return fmt.Errorf("%s is over %d MiB", path, maxFile>>20)
	}
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for n := 1; ; n++ {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = m.take(document)
		}
		if err != nil {
			return fmt.Errorf("%s, document %d: %w", path, n, err)
		}
	}
}

// take reads one document strictly: a misspelt field would otherwise be reckoned as if it were not there.
func (m *manifests) take(document []byte) error {
	if len(bytes.TrimSpace(document)) == 0 {
		return nil
	}
	var kind metav1.TypeMeta
	if err := yaml.Unmarshal(document, &kind); err != nil {
		return err
	}
	if kind.APIVersion != v1alpha1.GroupVersion.String() {
		return fmt.Errorf("it is %s %s, not an OwnerProgram or a Campaign of %s", kind.APIVersion, kind.Kind, v1alpha1.GroupVersion)
	}
	// What a document leaves out is what admission would put there.
	switch kind.Kind {
	case "OwnerProgram":
		program := &v1alpha1.OwnerProgram{}
		program.Spec.FeeReturnWindow.Duration = v1alpha1.LegalReturnWindow
		program.Spec.ReturnWindow.Duration = v1alpha1.LegalReturnWindow
		m.programs = append(m.programs, program)
		return yaml.UnmarshalStrict(document, program)
	case "Campaign":
		campaign := &v1alpha1.Campaign{}
		campaign.Spec.TimeZone = "Asia/Shanghai"
		m.campaigns = append(m.campaigns, campaign)
		return yaml.UnmarshalStrict(document, campaign)
	case "":
		return errors.New("it does not say its kind: OwnerProgram or Campaign")
	default:
		return fmt.Errorf("a %s has no money to reckon with: give an OwnerProgram and Campaigns", kind.Kind)
	}
}
