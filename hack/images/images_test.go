package main

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/qingcang/qingcang/hack/internal/stack"
)

var someCommit = origin{version: "1.2.3", commit: strings.Repeat("ab", 20), at: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)}

// buildSim builds the smallest of the images.
func buildSim(t *testing.T) (product, string) {
	t.Helper()
	root, err := stack.Root()
	if err != nil {
		t.Fatal(err)
	}
	chosen, err := choose([]string{"sim"}, false)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := buildBinaries(t.Context(), root, dir, "amd64", someCommit.version, chosen, io.Discard); err != nil {
		t.Fatal(err)
	}
	return chosen[0], filepath.Join(dir, "sim")
}

// fakeBinary is enough for what does not look into it.
func fakeBinary(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte("a program"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheSameCommitGivesTheSameImageAndSBOM(t *testing.T) {
	var digests, bills []string
	for range 2 {
		p, binary := buildSim(t)
		image, err := assemble(p, binary, "amd64", someCommit)
		if err != nil {
			t.Fatal(err)
		}
		digest, err := image.Digest()
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "sim.cdx.json")
		if err := writeSBOM(path, p, binary, someCommit); err != nil {
			t.Fatal(err)
		}
		bill, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		digests, bills = append(digests, digest.String()), append(bills, string(bill))
	}
	if digests[0] != digests[1] {
		t.Errorf("two builds of one commit have the digests %v", digests)
	}
	if bills[0] != bills[1] {
		t.Error("two builds of one commit have different SBOMs")
	}
	wantBill(t, []byte(bills[0]))
}

// wantBill checks that the SBOM names the compiler's library, the authorities and a dependency with its version.
func wantBill(t *testing.T, data []byte) {
	t.Helper()
	var bill struct {
		BOMFormat, SpecVersion string
		Components             []struct{ Name, Version, Purl string }
	}
	if err := json.Unmarshal(data, &bill); err != nil {
		t.Fatal(err)
	}
	if bill.BOMFormat != "CycloneDX" || bill.SpecVersion != "1.6" {
		t.Errorf("the SBOM is %s %s", bill.BOMFormat, bill.SpecVersion)
	}
	for _, want := range []string{"std", authoritiesModule, "github.com/golang-jwt/jwt/v5"} {
		if !slices.ContainsFunc(bill.Components, func(c struct{ Name, Version, Purl string }) bool {
			return c.Name == want && c.Version != "" && c.Purl == "pkg:golang/"+want+"@"+c.Version
		}) {
			t.Errorf("the SBOM has no %s with version and purl", want)
		}
	}
}

func TestAnImageRunsAsNobodyAndSaysWhatItIs(t *testing.T) {
	image, err := assemble(product{name: "order", title: "Sales"}, fakeBinary(t), "arm64", someCommit)
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if config.OS != "linux" || config.Architecture != "arm64" {
		t.Errorf("the platform is %s/%s; an image without one is never chosen", config.OS, config.Architecture)
	}
	if config.Config.User != "65532:65532" || !slices.Equal(config.Config.Entrypoint, []string{"/order"}) {
		t.Errorf("user %q runs %q", config.Config.User, config.Config.Entrypoint)
	}
	for label, want := range map[string]string{
		"org.opencontainers.image.version": "1.2.3", "org.opencontainers.image.revision": someCommit.commit,
		"org.opencontainers.image.created": "2026-11-22T08:00:00Z",
	} {
		if got := config.Config.Labels[label]; got != want {
			t.Errorf("label %s is %q, want %q", label, got, want)
		}
	}
}

func TestAnImageHoldsAuthoritiesTmpAndProgram(t *testing.T) {
	image, err := assemble(product{name: "order"}, fakeBinary(t), "amd64", someCommit)
	if err != nil {
		t.Fatal(err)
	}
	files := unpack(t, image)
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(files[authoritiesFile].data) || len(pool.Subjects()) < 100 { //nolint:staticcheck // not the system's pool
		t.Error("the certificate authorities are not there")
	}
	if files["tmp"].mode != 0o1777 {
		t.Errorf("/tmp has the mode %o, want 1777", files["tmp"].mode)
	}
	if program := files["order"]; string(program.data) != "a program" || program.mode != 0o755 {
		t.Errorf("/order has the mode %o and %d bytes", program.mode, len(program.data))
	}
}

func unpack(t *testing.T, image v1.Image) map[string]entry {
	t.Helper()
	out := map[string]entry{}
	unpacked := mutate.Extract(image)
	defer func() { _ = unpacked.Close() }()
	for r := tar.NewReader(unpacked); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if !header.ModTime.Equal(someCommit.at) || header.Uid != 0 {
			t.Errorf("%s is of %s and of user %d", header.Name, header.ModTime, header.Uid)
		}
		out[header.Name] = entry{name: header.Name, mode: header.Mode, data: data}
	}
}

func TestAnArchiveNamesItsImageAsNodesDo(t *testing.T) {
	image, err := assemble(product{name: "order"}, fakeBinary(t), "amd64", someCommit)
	if err != nil {
		t.Fatal(err)
	}
	digest, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	var archives [2][]byte
	for i := range archives {
		path := filepath.Join(t.TempDir(), "order.tar")
		if err := writeArchive(path, "qingcang/order:1.2.3", image); err != nil {
			t.Fatal(err)
		}
		if archives[i], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(archives[0], archives[1]) {
		t.Error("two archives of one image differ")
	}
	index := fileOf(t, archives[0], "index.json")
	for _, want := range []string{digest.String(), `"docker.io/qingcang/order:1.2.3"`} {
		if !bytes.Contains(index, []byte(want)) {
			t.Errorf("index.json has no %s:\n%s", want, index)
		}
	}
}

func fileOf(t *testing.T, archive []byte, name string) []byte {
	t.Helper()
	for r := tar.NewReader(bytes.NewReader(archive)); ; {
		header, err := r.Next()
		if err != nil {
			t.Fatalf("no %s: %v", name, err)
		}
		if header.Name == name {
			data, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			return data
		}
	}
}

// The whole way, as somebody goes it who installs the chart from a registry: what the table names can be pulled
// by name and by digest, whole.
func TestPushedIsWhatTheTableSays(t *testing.T) {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	var table bytes.Buffer
	o := options{dir: t.TempDir(), version: "1.2.3", platform: "linux/arm64", registry: host + "/team", names: []string{"sim"}}
	if err := run(t.Context(), o, &table, io.Discard); err != nil {
		t.Fatal(err)
	}
	reference := host + "/team/qingcang-test/sim"
	tag, err := name.NewTag(reference + ":1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	pulled, err := remote.Image(tag)
	if err != nil {
		t.Fatal(err)
	}
	digest, err := pulled.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(table.String(), reference+":1.2.3") || !strings.Contains(table.String(), digest.String()) {
		t.Errorf("the registry has %s, and the table is\n%s", digest, &table)
	}
	if pulled, err = remote.Image(tag.Context().Digest(digest.String())); err != nil {
		t.Fatal(err)
	}
	whole := mutate.Extract(pulled)
	defer func() { _ = whole.Close() }()
	if _, err := io.Copy(io.Discard, whole); err != nil { // each layer is held against its digest
		t.Error(err)
	}
}

func TestARegistryThatIsNotThereIsSaid(t *testing.T) {
	server := httptest.NewServer(nil)
	host := strings.TrimPrefix(server.URL, "http://")
	server.Close()
	image, err := assemble(product{name: "order"}, fakeBinary(t), "amd64", someCommit)
	if err != nil {
		t.Fatal(err)
	}
	reference := host + "/qingcang/order:1.2.3"
	if err := push(t.Context(), reference, image); err == nil || !strings.Contains(err.Error(), "push "+reference) {
		t.Errorf("got %v", err)
	}
}

// The linker says nothing of a variable that is not there.
func TestEveryStampIsAVariableOfItsPackage(t *testing.T) {
	root, err := stack.Root()
	if err != nil {
		t.Fatal(err)
	}
	for _, stamp := range stamps {
		dir, variable, _ := strings.Cut(strings.TrimPrefix(stamp, modulePrefix), ".")
		files, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		declares := func(file string) bool {
			text, err := os.ReadFile(file)
			return err == nil && strings.Contains(string(text), "\nvar "+variable+" string\n")
		}
		if !slices.ContainsFunc(files, declares) {
			t.Errorf("%s is declared nowhere", stamp)
		}
	}
}

func TestChoose(t *testing.T) {
	tests := map[string]struct {
		names []string
		test  bool
		want  int
		fails bool
	}{
		"nothing named is the product":                     {want: 7},
		"with -test also what stands in for the world":     {test: true, want: 12},
		"named ones alone, whether product or not":         {names: []string{"order", "sim"}, want: 2},
		"an unknown name is refused, not quietly left out": {names: []string{"orders"}, fails: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := choose(test.names, test.test)
			if (err != nil) != test.fails || len(got) != test.want {
				t.Errorf("%d images, %v; want %d", len(got), err, test.want)
			}
		})
	}
}
