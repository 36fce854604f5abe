package app

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	journalv1 "github.com/qingcang/qingcang/proto/gen/journal/v1"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/journal"
)

// The life of an order's money and that of a refund are two state machines. Each
// is one table of what every input does in every state; the tests walk through
// all of it with the real use cases, and docs/payment-states.md is the tables.

var update = flag.Bool("update", false, "write docs/payment-states.md anew")

const machineDoc = "../../docs/payment-states.md"

// outcome is what an input does.
type outcome struct {
	to string // empty is the same state
	// facts are journaled, in this order; a foreign one is kept until what it waits
	// for is there.
	facts []string
	// refused is the code of the fault that the caller gets.
	refused string
	// failed means that the task is tried again later.
	failed bool
	// never means that it cannot be.
	never bool
	why   string
}

func to(state string, facts ...string) outcome { return outcome{to: state, facts: facts} }
func same(why string, facts ...string) outcome { return outcome{why: why, facts: facts} }
func nothing(why string) outcome               { return outcome{why: why} }
func refused(code, why string) outcome         { return outcome{refused: code, why: why} }
func later(why string) outcome                 { return outcome{failed: true, why: why} }
func never(why string) outcome                 { return outcome{never: true, why: why} }
func (o outcome) because(why string) outcome   { o.why = why; return o }
func (o outcome) refuses(code string) outcome  { o.refused = code; return o }
func in(states string, o outcome) rule         { return rule{strings.Fields(states), o} }

type rule struct {
	states []string
	outcome
}

type rules []rule

// at returns the one rule for a state.
func (r rules) at(state string) (outcome, error) {
	var found []outcome
	for _, rule := range r {
		if slices.Contains(rule.states, state) {
			found = append(found, rule.outcome)
		}
	}
	if len(found) != 1 {
		return outcome{}, fmt.Errorf("%d rules are for %s", len(found), state)
	}
	return found[0], nil
}

// input is something that happens to the order's money.
type input struct {
	name string
	// play lets it happen. What it returns went to whoever asked.
	play func(s *shop) error
	rules
}

// machine is a table of inputs and states.
type machine struct {
	title, intro string
	states       []string
	// reach brings a fresh shop into a state; of says in which one it is.
	reach  map[string]func(s *shop)
	of     func(s *shop) string
	inputs []input
}

// journaled lists the facts about the test's order by type.
func (s *shop) journaled() (types []string) {
	s.t.Helper()
	err := s.store.Range(context.Background(), journal.ShardOf(testOrder), 1, func(_ uint64, b *journalv1.Batch) error {
		for _, e := range b.GetEvents() {
			types = append(types, e.GetType()[strings.LastIndexByte(e.GetType(), '.')+1:])
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return types
}

// walk plays every input in every state.
func (m machine) walk(t *testing.T) {
	for _, state := range m.states {
		for _, in := range m.inputs {
			t.Run(state+"/"+in.name, func(t *testing.T) {
				want, err := in.at(state)
				if err != nil {
					t.Fatal(err)
				}
				if want.why == "" && want.to == "" {
					t.Fatal("what changes nothing says why")
				}
				if want.never {
					return
				}
				s := openShop(t)
				m.reach[state](s)
				if got := m.of(s); got != state {
					t.Fatalf("the way to %s led to %s", state, got)
				}
				m.check(s, in, state, want)
			})
		}
	}
}

func (m machine) check(s *shop, in input, state string, want outcome) {
	s.t.Helper()
	before := len(s.journaled())
	err := in.play(s)
	f, isFault := fault.As(err)
	switch {
	case want.refused != "" && (!isFault || f.Code != want.refused):
		s.t.Fatalf("got %v, want the refusal %s", err, want.refused)
	case want.failed && err == nil:
		s.t.Fatal("it went well, and should be tried again")
	case want.refused == "" && !want.failed && err != nil:
		s.t.Fatal(err)
	}
	if facts := s.journaled()[before:]; !slices.Equal(facts, want.facts) {
		s.t.Fatalf("journaled %v, want %v", facts, want.facts)
	}
	next := want.to
	if next == "" {
		next = state
	}
	if got := m.of(s); got != next {
		s.t.Fatalf("it is %s, want %s", got, next)
	}
}

// markdown writes the table.
func (m machine) markdown(out *bytes.Buffer) {
	fmt.Fprintf(out, "## %s\n\n%s\n\n| input | in | becomes | journaled | because |\n|---|---|---|---|---|\n", m.title, m.intro)
	for _, in := range m.inputs {
		name := in.name
		for _, r := range in.rules {
			becomes := r.to
			switch {
			case r.never:
				becomes = "cannot be"
			case r.refused != "":
				becomes = "refused: `" + r.refused + "`"
			case r.failed:
				becomes = "tried again"
			case becomes == "":
				becomes = "the same"
			}
			facts := ""
			if len(r.facts) > 0 {
				facts = "`" + strings.Join(r.facts, "`, `") + "`"
			}
			fmt.Fprintf(out, "| %s | %s | %s | %s | %s |\n", name, strings.Join(r.states, ", "), becomes, facts, r.why)
			name = ""
		}
	}
	out.WriteByte('\n')
}

func TestThePageOfTheStatesIsTheTables(t *testing.T) {
	var page bytes.Buffer
	page.WriteString("# The states of an order's money\n\nEvery input in every state, as the tests of `internal/app` walk through them with the real use cases.\nWritten by `go test ./internal/app -run TestThePageOfTheStates -update`; change the tables, not this page.\n\n")
	moneyMachine().markdown(&page)
	refundMachine().markdown(&page)
	want := append(bytes.TrimRight(page.Bytes(), "\n"), '\n')
	if *update {
		if err := os.WriteFile(machineDoc, want, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(machineDoc); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%s is not what the tables say (%v); run the test with -update", machineDoc, err)
	}
}
