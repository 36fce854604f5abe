package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/qingcang/qingcang/hack/internal/stack"
)

func TestTheCardIsComplete(t *testing.T) {
	root, err := stack.Root()
	if err != nil {
		t.Fatal(err)
	}
	if err := complete(root, card); err != nil {
		t.Error(err)
	}
	for _, c := range card {
		if len(c.mutants) == 0 {
			t.Errorf("row %s, %s: a check without a planted bug counts for nothing", c.Row, c.What)
		}
		if c.siege != "" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, c.pkg, "proof_test.go"))
		if err != nil || !strings.Contains(string(text), "func "+c.test+"(") {
			t.Errorf("row %s: %s has no %s: %v", c.Row, c.pkg, c.test, err)
		}
	}
}

func TestABugThatIsOnNoRowIsRefused(t *testing.T) {
	root := t.TempDir()
	folder := filepath.Join(root, "services", "order")
	for _, needed := range []string{folder, filepath.Join(root, "proto"), filepath.Join(root, virtual), filepath.Join(root, security)} {
		if err := os.MkdirAll(needed, 0o750); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{
		"x_mutant.go":      "//go:build mutant_unheard_of\n\npackage order\n",
		"x_mutant_test.go": "//go:build mutant_unheard_of\n\npackage order\n",
		"proof_test.go":    "package order\n\nfunc TestProofOfNothing(t *testing.T) {}\n",
	} {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := complete(root, card); err == nil {
			t.Errorf("%s is not missed", name)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

func TestReadingAProof(t *testing.T) {
	for name, test := range map[string]struct {
		output string
		want   outcome
	}{
		"the line of the row": {
			output: "=== RUN   TestProofX\n    PROOF row=1 trials=20000 violations=2 seed=7\n--- FAIL: TestProofX (1.00s)\n",
			want:   outcome{Trials: 20_000, Violations: 2, Seed: "7", printed: true},
		},
		"another row's line does not count": {output: "    PROOF row=11 trials=5 violations=0 seed=-\n"},
		"a test that says nothing":          {output: "PASS\n"},
		"the violations of a proof and of a siege": {
			output: "    proof.go:1: trial 5 of seed 7: 1 too many\n    proof.go:1: case 12: twice\n a note\nsale of seed 7: lost\n",
			want: outcome{Violated: []string{
				"proof.go:1: trial 5 of seed 7: 1 too many", "proof.go:1: case 12: twice", "sale of seed 7: lost",
			}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := read(test.output, "1"); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestTheEndOfTheCardSaysWhatDoesNotHold(t *testing.T) {
	caught := []plantedResult{{Bug: "x", Caught: true}}
	results := []result{
		{check: check{Row: "1", What: "units"}, Planted: caught},
		{check: check{Row: "2", What: "sales"}, Planted: caught, outcome: outcome{Violations: 1, Violated: []string{"sale of seed 7: lost"}, Fault: "exit status 1"}},
		{check: check{Row: "3", What: "builds"}, Planted: caught, outcome: outcome{Fault: "build: exit status 1\nx.go:1: no"}},
		{check: check{Row: "4", What: "bugs"}, Planted: []plantedResult{{Bug: "y", Fault: "the test passes with the bug"}}},
	}
	var card strings.Builder
	if err := printCard(&card, results, false); err != nil {
		t.Fatal(err)
	}
	_, got, _ := strings.Cut(card.String(), "checks hold\n")
	want := `
row 2 does not hold: sales
	sale of seed 7: lost

row 3 does not hold: builds
	build: exit status 1
	x.go:1: no

row 4 does not hold: bugs
	y is not caught: the test passes with the bug
`
	if got != want {
		t.Errorf("the card ends with\n%s\nwant\n%s", got, want)
	}
}

func TestWhatHolds(t *testing.T) {
	caught, missed := []plantedResult{{Bug: "x", Caught: true}}, []plantedResult{{Bug: "x", Caught: true}, {Bug: "y"}}
	for name, test := range map[string]struct {
		result result
		want   bool
	}{
		"no violation and every bug caught": {result{Planted: caught}, true},
		"a violation":                       {result{outcome: outcome{Violations: 1}, Planted: caught}, false},
		"a test that failed":                {result{outcome: outcome{Fault: "exit status 1"}, Planted: caught}, false},
		"a bug that is not caught":          {result{Planted: missed}, false},
		"no bug planted":                    {result{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.result.holds(); got != test.want {
				t.Errorf("holds is %t, want %t", got, test.want)
			}
		})
	}
}
