package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// check is one test of a row. A row may have several, each with bugs of its own.
type check struct {
	Row  string `json:"row"`
	What string `json:"what"`
	// CI and Full are how many trials the row asks for; a check of all cases has
	// the same number in both.
	CI   int `json:"ci"`
	Full int `json:"full"`

	// siege names one of hack/siege, on real processes; other checks are a test.
	siege string
	// alone is a check that measures time: nothing else runs beside it.
	alone bool
	// kafka is a siege that runs on Apache Kafka too.
	kafka bool
	// root is a siege that mounts a disk.
	root bool
	// history is a siege that begins with the release before this one.
	history bool

	pkg   string // its folder, from the root
	test  string
	stack bool   // needs a broker and a database
	kube  bool   // needs a Kubernetes API server, too
	tags  string // build tags that it needs
	// mutants are the planted bugs, without "mutant_": with any of them the same test must fail.
	mutants []string
}

func (c check) target(full bool) int {
	if full {
		return c.Full
	}
	return c.CI
}

// virtual is the folder of the proofs in virtual time, a module outside the workspace.
const virtual = "hack/virtual"

// security is the folder of the searches for what can be attacked. Their trials are what they looked at;
// CI and Full are about how much of it there was when they were written, so that none looks at nothing.
const security = "hack/security"

// The cases of the exhaustive checks.
const (
	stories = 9 * 9 * 9 * 9 * 9 * 9   // 6 events of 9 kinds
	charts  = 3*3*3*3*3*3*3 + 64*65/2 // each of 7 classes in or out of a posting; one or two of 64 rules added
)

var card = []check{
	{
		Row: "1", What: "sold + held + free = supply, free ≥ 0, at every prefix", CI: 20_000, Full: 1_000_000,
		pkg: "services/order/internal/ledger", test: "TestProofStockAddsUp", mutants: []string{"oversell"},
	},
	{
		Row: "4", What: "no order, charge or refund takes effect twice", CI: 5_000, Full: 100_000,
		pkg: "services/order/internal/app", test: "TestProofNothingTwice", mutants: []string{"notice_twice"},
	},
	{
		Row: "4", What: "no commission takes effect twice", CI: 5_000, Full: 100_000,
		pkg: "services/store-owner/internal/people", test: "TestProofNoCommissionTwice", mutants: []string{"accrue_twice"},
	},
	{
		Row: "5", What: "place, pay, cancel, look are linearizable per SKU", CI: 200, Full: 5_000, stack: true,
		pkg: "services/order/internal/lane", test: "TestProofSalesAreLinearizable", mutants: []string{"stale_answer", "oversell"},
	},
	{
		Row: "6", What: "legs add up to 0, no negative liability: orders", CI: 20_000, Full: 1_000_000,
		pkg: "services/order/internal/payment", test: "TestProofLegsAddUp", mutants: []string{"settle_twice"},
	},
	{
		Row: "6", What: "the same: membership fee and commission", CI: 20_000, Full: 1_000_000,
		pkg: "services/store-owner/internal/people", test: "TestProofLegsAddUp", mutants: []string{"overdraw"},
	},
	{
		Row: "6", What: "the same: what brands are owed", CI: 20_000, Full: 1_000_000,
		pkg: "services/brand-intake/internal/settlement", test: "TestProofLegsAddUp", mutants: []string{"short_is_paid"},
	},
	{
		Row: "7", What: "every fen is explained: 30 days, each day's bill", CI: 1, Full: 100,
		pkg: "services/order/internal/app", test: "TestProofEveryFenIsExplained", mutants: []string{"abnormal_is_made"},
	},
	{
		Row: "8", What: "brand + owner + platform + refund = paid", CI: 10_000, Full: 1_000_000,
		pkg: "services/order/internal/payment", test: "TestProofTheSplitIsExact", mutants: []string{"rounding"},
	},
	{
		Row: "9", What: "a hold is resolved once: all stories of 6 events", CI: stories, Full: stories,
		pkg: "services/order/internal/ledger", test: "TestProofALatePaymentHasOneResult", mutants: []string{"answer_twice"},
	},
	{
		Row: "9", What: "late payment has one result, in lane and journal", CI: stories, Full: stories,
		pkg: "services/order/internal/payment", test: "TestProofLaneAndMoneyAgree", mutants: []string{"second_counts"},
	},
	{
		Row: "11", What: "replay equals state: ledger, from any snapshot", CI: 5_000, Full: 200_000,
		pkg: "services/order/internal/ledger", test: "TestProofReplayEqualsState", mutants: []string{"forget"},
	},
	{
		Row: "12", What: "one key, one effect: repeated, 50 at once, another body, a crash", CI: 500, Full: 10_000,
		pkg: virtual, test: "TestProofOneKeyOneEffect", mutants: []string{"body_in_id"},
	},
	{
		Row: "13", What: "notices: the whole schedule, all lost, forged, wrong amount", CI: 1_000, Full: 20_000,
		pkg: "services/order/internal/app", test: "TestProofNotices", mutants: []string{"any_merchant"},
	},
	{
		Row: "14", What: "clocks: pods off by 5 minutes, set back, no zones: opens once, never early", CI: 200, Full: 2_000,
		pkg: virtual, test: "TestProofClocks", mutants: []string{"own_clock"},
	},
	{
		Row: "18", What: "operator: stale cache, killed leader, failing broker: converges", CI: 200, Full: 5_000,
		pkg: "operators/campaign/internal/campaign", test: "TestProofTheOperatorConverges", mutants: []string{"stale"},
	},
	{
		Row: "18", What: "the same on an API server, with errors and conflict storms", CI: 20, Full: 200, stack: true, kube: true,
		pkg: "operators/campaign/internal/operator", test: "TestProofTheOperatorConvergesOnAnAPIServer", mutants: []string{"second_child"},
	},
	{
		Row: "19", What: "delete a Campaign in every phase, each dependency down", CI: 50, Full: 50, stack: true, kube: true,
		pkg: "operators/campaign/internal/operator", test: "TestProofNoDeletionIsStuck", mutants: []string{"strand"},
	},
	{
		Row: "20", What: "lanes: new rules in mid-sale change no decision", CI: 40, Full: 1_000,
		pkg: virtual, tags: "rules_next", test: "TestProofAnUpgradeChangesNoDecision", mutants: []string{"switch_forgets"},
	},
	{
		Row: "2", What: "stock 100, 5,000 buyers, everything killed: 100 sold", CI: 3, Full: 50,
		siege: "2", kafka: true, mutants: []string{"oversell"},
	},
	{
		Row: "3", What: "an acknowledged order is never lost", CI: 3, Full: 50,
		siege: "3", kafka: true, mutants: []string{"early_answer"},
	},
	{
		Row: "10", What: "two publishers of one lane harm nothing", CI: 20, Full: 200,
		siege: "10", kafka: true, mutants: []string{"own_event_ids"},
	},
	{
		Row: "11", What: "ledgers of both replicas, rebuilt after kills, are equal", CI: 6, Full: 200,
		siege: "11", mutants: []string{"forget"},
	},
	{
		Row: "12", What: "the same on real processes, a replica killed", CI: 500, Full: 10_000,
		siege: "12", kafka: true, mutants: []string{"body_in_id"},
	},
	{
		Row: "15", What: "each dependency down, slow, half-open, failing 30%", CI: 20, Full: 20,
		siege: "15", mutants: []string{"log_is_internal"},
	},
	{
		Row: "15", What: "the disk of broker and database is full", CI: 2, Full: 20,
		siege: "disk", root: true, mutants: []string{"log_is_internal"},
	},
	{
		Row: "16", What: "overload at 4 and 10 times the rated load", CI: 2, Full: 2,
		siege: "16", alone: true, mutants: []string{"no_limit"},
	},
	{
		Row: "17", What: "graceful stop under load", CI: 20, Full: 200,
		siege: "17", mutants: []string{"hasty_stop"},
	},
	{
		Row: "20", What: "order service: upgraded and back again in mid-sale", CI: 1, Full: 10,
		siege: "20", history: true, mutants: []string{"hasty_rules", "body_in_id"},
	},
	{
		Row: "S6", What: "law guard: every posting, every chart", CI: charts, Full: charts,
		pkg: "services/store-owner/internal/accounts", test: "TestProofTheLawGuard", mutants: []string{"shallow_law"},
	},
	{
		Row: "S6", What: "law guard: programmes, by an API server and apart from it", CI: 500, Full: 10_000, kube: true,
		pkg: "operators/campaign/internal/simulate", test: "TestProofNoProgrammeBreaksTheLaw", mutants: []string{"rule_left_out", "third_level"},
	},
	{
		Row: "S13", What: "gitleaks: no secret in any file and commit", CI: 1_000, Full: 1_000,
		pkg: security, test: "TestProofNoSecretIsCommitted", mutants: []string{"committed_secret"},
	},
	{
		Row: "S13", What: "gosec and staticcheck: packages without a finding", CI: 120, Full: 120,
		pkg: security, test: "TestProofNoWeakCode", mutants: []string{"weak_code"},
	},
	{
		Row: "S13", What: "govulncheck: no known hole of these modules is called", CI: 120, Full: 120,
		pkg: security, test: "TestProofNoKnownHoleIsCalled", mutants: []string{"known_hole"},
	},
	{
		Row: "S13", What: "charts: restricted pods, least rights, closed networks", CI: 20, Full: 20,
		pkg: security, test: "TestProofChartsGiveNoMoreThanNeeded", mutants: []string{"privileged_pod"},
	},
}

// chosen returns the checks of a row, of every row if it is empty: of those that this user can run, and
// on Apache Kafka of those that run there.
func chosen(row string, kafka bool) ([]check, error) {
	checks := slices.DeleteFunc(slices.Clone(card), func(c check) bool {
		return row != "" && c.Row != row || kafka && !c.kafka || c.root && os.Geteuid() != 0
	})
	if len(checks) == 0 {
		return nil, fmt.Errorf("row %s does not exist yet; there are %s", row, strings.Join(rows(), ", "))
	}
	return checks, nil
}

// rows are those that exist.
func rows() []string {
	var names []string
	for _, c := range card {
		if !slices.Contains(names, c.Row) {
			names = append(names, c.Row)
		}
	}
	return names
}

// notYet are the rows of the scorecard that have no check here.
func notYet() []string {
	var names []string
	for n := 1; n <= 20; n++ {
		names = append(names, fmt.Sprint(n))
	}
	for n := 1; n <= 13; n++ {
		names = append(names, fmt.Sprintf("S%d", n))
	}
	return slices.DeleteFunc(names, func(name string) bool { return slices.Contains(rows(), name) })
}

var (
	mutantTag = regexp.MustCompile(`(?m)^//go:build mutant_([a-z_]+)$`)
	proofTest = regexp.MustCompile(`(?m)^func (TestProof\w+)\(`)
)

// complete refuses a card that leaves out a planted bug or a proof of the tree:
// who adds one puts it on the card.
func complete(root string, card []check) error {
	known := map[string]bool{}
	for _, c := range card {
		known[c.pkg+" "+c.test] = true
		for _, m := range c.mutants {
			known[m] = true
		}
	}
	for _, folder := range []string{"proto", "services", "operators", virtual, security} {
		if err := onTheCard(root, folder, known); err != nil {
			return err
		}
	}
	return nil
}

// onTheCard refuses what a folder holds and is not known.
func onTheCard(root, folder string, known map[string]bool) error {
	return filepath.WalkDir(filepath.Join(root, folder), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		name := entry.Name()
		if !strings.HasSuffix(name, "_mutant.go") && !strings.HasSuffix(name, "_mutant_test.go") && name != "proof_test.go" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range mutantTag.FindAllSubmatch(text, -1) {
			if !known[string(m[1])] {
				return fmt.Errorf("%s: the planted bug %s is on no row of the card", path, m[1])
			}
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		for _, m := range proofTest.FindAllSubmatch(text, -1) {
			if !known[filepath.ToSlash(folder)+" "+string(m[1])] {
				return fmt.Errorf("%s: %s is on no row of the card", path, m[1])
			}
		}
		return nil
	})
}
