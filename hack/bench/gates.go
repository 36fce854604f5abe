//go:build linux

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/qingcang/qingcang/hack/bench/internal/card"
)

// gates are what -short holds its rows to. They are ratios of CPU, which vary least on a machine that
// others use too. Where the service reaches its target the gate is the target eased by 1.3, about what
// three short repeats on a busy machine spread by. Where it does not, the gate is what it does, eased
// alike: it stops what gets worse, and is to be tightened with what gets better.
var gates = map[string]card.Target{
	"audit":                 card.AtMost(0),
	"accept_cpu_vs_handler": card.AtMost(3.1),
	"accept_cpu_vs_redis":   card.AtMost(1.7),
	"reject_cpu_vs_noop":    card.AtMost(2.7),
	"telemetry":             card.AtMost(1.05 * 1.3),
}

// gatedRows matches the rows that have a gate.
func gatedRows() string { return "^(" + strings.Join(slices.Sorted(maps.Keys(gates)), "|") + ")$" }

// gated holds the rows to their gates; what they should reach stands in their note.
func gated(rows []card.Row) []card.Row {
	for i, row := range rows {
		if gate, ok := gates[row.ID]; ok && gate != row.Target {
			rows[i].Note = fmt.Sprintf("gate of CI; the target is %s  %s", row.Target, row.Note)
			rows[i].Target = gate
		}
	}
	return rows
}
