package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/qingcang/qingcang/operators/campaign/internal/simulate"
	"github.com/qingcang/qingcang/operators/campaign/internal/teststack"
)

const programYAML = `
apiVersion: sale.qingcang.io/v1alpha1
kind: OwnerProgram
metadata: {name: standard}
spec:
  title: Store owner
  ranks:
  - {name: member, rateBps: 6000}
`

const coatsYAML = `
apiVersion: sale.qingcang.io/v1alpha1
kind: Campaign
metadata: {name: coats}
spec:
  brandId: brand_01k9z3w5n8e7s9v0q2c4x6b8da
  title: Autumn coats
  commissionBps: 1000
  startAt: "2026-11-24T20:00:00"
  endAt: "2026-11-24T22:00:00"
  items:
  - {sku: C1, priceFen: 6000, settlementFen: 4000, units: 1000}
`

func TestSimulate(t *testing.T) {
	w := newWorld(t)
	w.campaign("live", live()) // 1,000 units at ¥60, too
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	program, coats := file("programme.yaml", programYAML), file("coats.yaml", coatsYAML)
	ladder := file("ladder.yaml", programYAML+"  rewards:\n  - {for: Recruit, count: 90, payFen: 50000, every: Month}\n")
	const owners = "Owners get at most ¥3,600.00; the platform keeps at least ¥16,400.00."
	for name, tc := range map[string]struct {
		stdin string
		args  []string
		want  string
		code  int
	}{
		"two files":                       {"", []string{"-f", program, "-f", coats}, owners, ExitOK},
		"one file of both":                {"", []string{"-f", file("both.yaml", programYAML+"---\n"+coatsYAML)}, owners, ExitOK},
		"standard input":                  {programYAML, []string{"-f", "-", "-f", coats}, owners, ExitOK},
		"a campaign of the cluster":       {"", []string{"-f", program, "--campaign", "live"}, owners, ExitOK},
		"ranks that pay a part":           {"", []string{"-f", program, "-f", coats}, "As long as store-owner obeys no ranks, who sold gets the whole commission: ¥6,000.00.", ExitOK},
		"a campaign that is not there":    {"", []string{"-f", program, "--campaign", "moon"}, "there is no campaign moon", ExitFailed},
		"a ladder of recruits":            {"", []string{"-f", ladder, "-f", coats}, "NoPayForRecruiting", ExitFailed},
		"a fee that buys nothing":         {"", []string{"-f", file("fee.yaml", programYAML+"  feeGrants: []\n"), "-f", coats}, "BREACH  NoEntryFee", ExitFailed},
		"a document of no kind":           {"apiVersion: sale.qingcang.io/v1alpha1", []string{"-f", "-"}, "it does not say its kind", ExitFailed},
		"a ladder as JSON":                {"", []string{"-f", ladder, "-f", coats, "-o", "json"}, "the programme breaks the law and will be refused", ExitFailed},
		"a campaign at a loss":            {"", []string{"-f", program, "-f", file("loss.yaml", strings.Replace(coatsYAML, "4000", "5900", 1))}, "the platform's part can be under 0 with: C1", ExitFailed},
		"no file":                         {"", nil, "usage: give the programme with -f", ExitUsage},
		"no programme":                    {"", []string{"-f", coats}, "one OwnerProgram is reckoned at a time, the files have 0", ExitUsage},
		"no campaign":                     {"", []string{"-f", program}, "give a campaign, with another -f or with --campaign NAME", ExitUsage},
		"a file that is not there":        {"", []string{"-f", dir + "/moon.yaml"}, "moon.yaml: no such file", ExitFailed},
		"a field that is misspelt":        {"", []string{"-f", file("typo.yaml", strings.Replace(programYAML, "rateBps", "ratebsp", 1))}, `document 1: error unmarshaling JSON: while decoding JSON: json: unknown field "ratebsp"`, ExitFailed},
		"a kind that has nothing to do":   {"", []string{"-f", file("pod.yaml", "apiVersion: v1\nkind: Pod\n")}, "it is v1 Pod, not an OwnerProgram or a Campaign", ExitFailed},
		"a form that is not known":        {"", []string{"-f", program, "-f", coats, "-o", "tree"}, "-o tree is not known: json or yaml", ExitUsage},
		"a price that cannot be reckoned": {"", []string{"-f", program, "-f", file("dear.yaml", strings.Replace(coatsYAML, "6000", "60000000000", 1))}, "priceFen of item C1 is 60000000000", ExitFailed},
	} {
		t.Run(name, func(t *testing.T) {
			got := w.runWith(tc.stdin, append([]string{"simulate"}, tc.args...)...)
			if got.code != tc.code || !strings.Contains(got.out+got.err, tc.want) {
				t.Errorf("code %d, it printed\n%s%s\nwant code %d and %q", got.code, got.out, got.err, tc.code, tc.want)
			}
		})
	}
	t.Run("as JSON it is data", func(t *testing.T) {
		var result simulate.Result
		got := w.run("simulate", "-f", program, "-f", coats, "-o", "json")
		if err := json.Unmarshal([]byte(got.out), &result); err != nil || result.Months[0].WorstPayoutFen != 360_000 {
			t.Errorf("%v: %s", err, got.out)
		}
	})
}

// Each sample that is refused says in its head by which rule.
func TestTheSamples(t *testing.T) {
	coats := filepath.Join(t.TempDir(), "coats.yaml")
	if err := os.WriteFile(coats, []byte(coatsYAML), 0o600); err != nil {
		t.Fatal(err)
	}
	const samples = "../../config/samples/"
	for _, folder := range []string{"programs", "refused"} {
		files, err := filepath.Glob(samples + folder + "/*.yaml")
		if err != nil || len(files) == 0 {
			t.Fatalf("no samples in %s: %v", folder, err)
		}
		for _, file := range files {
			t.Run(folder+"/"+filepath.Base(file), func(t *testing.T) {
				w := &world{Stack: &teststack.Stack{Namespace: "any"}, t: t}
				got := w.run("simulate", "-f", file, "-f", coats)
				if folder == "programs" {
					if got.code != ExitOK {
						t.Errorf("code %d: %s%s", got.code, got.out, got.err)
					}
					return
				}
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				rule := ruleIn.FindStringSubmatch(string(text))
				if rule == nil {
					t.Fatal("its head does not say the rule")
				}
				if got.code != ExitFailed || !strings.Contains(got.out, "BREACH  "+rule[1]+" ("+rule[2]) {
					t.Errorf("code %d, want a breach of %s\n%s%s", got.code, rule[0], got.out, got.err)
				}
			})
		}
	}
}

var ruleIn = regexp.MustCompile(`(?m)^#   ([A-Z][A-Za-z]+) \(([^,]+)`)
