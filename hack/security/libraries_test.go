package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/qingcang/qingcang/hack/internal/stack"
)

func TestWhatGovulncheckSays(t *testing.T) {
	for name, c := range map[string]struct {
		said   string
		looked int
		want   []string
	}{
		"a hole that is called": {
			said: `{"finding":{"osv":"GO-1","fixed_version":"v1.2.0","trace":[{"module":"m","version":"v1.1.0","package":"m/p","function":"Read"},{"package":"own/app","function":"main"}]}}`,
			want: []string{"GO-1: own/app.main calls m/p.Read of v1.1.0, fixed in v1.2.0"},
		},
		"a hole in a package that is imported": {said: `{"finding":{"osv":"GO-1","trace":[{"module":"m","version":"v1.1.0","package":"m/p"}]}}`},
		"a hole in a module that is required":  {said: `{"finding":{"osv":"GO-1","trace":[{"module":"m","version":"v1.1.0"}]}}`},
		"modules that were asked about":        {said: `{"SBOM":{"modules":[{"path":"m"},{"path":"stdlib"},{"path":"` + ownModules + `hack"}]}}`, looked: 3},
		"a module that nobody asked about": {
			said: `{"SBOM":{"modules":[{"path":"other"}]}}`, looked: 1,
			want: []string{"other: the advisories were not asked about this module: renew them (hack/security/README.md)"},
		},
		"its progress": {said: `{"progress":{"message":"Scanning"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			var m message
			if err := json.Unmarshal([]byte(c.said), &m); err != nil {
				t.Fatal(err)
			}
			var r result
			r.take(m, []string{"m"})
			if r.looked != c.looked || !slices.Equal(r.found, c.want) {
				t.Errorf("got %+v, want %d and %q", r, c.looked, c.want)
			}
		})
	}
}

func TestTheCommittedAdvisories(t *testing.T) {
	root, err := stack.Root()
	if err != nil {
		t.Fatal(err)
	}
	a, err := readAdvisories(root)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := time.Parse(time.DateOnly, a.Date); err != nil || len(a.advisories) < 100 || len(a.modules) < 100 {
		t.Errorf("%d advisories of %q about %d modules", len(a.advisories), a.Date, len(a.modules))
	}
	folder := t.TempDir()
	if err := a.unpack(folder); err != nil {
		t.Fatal(err)
	}
	index, err := os.ReadFile(filepath.Join(folder, "index", "modules.json"))
	if err != nil {
		t.Fatal(err)
	}
	var modules []struct {
		Path  string
		Vulns []struct{ ID string }
	}
	if err := json.Unmarshal(index, &modules); err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, m := range modules {
		for _, v := range m.Vulns {
			ids[v.ID] = true
			if _, err := os.Stat(filepath.Join(folder, "ID", v.ID+".json")); err != nil {
				t.Error(err)
			}
		}
	}
	if len(ids) != len(a.advisories) {
		t.Errorf("the index names %d of %d advisories", len(ids), len(a.advisories))
	}
}
