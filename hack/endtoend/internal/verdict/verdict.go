// Package verdict is what the judge in the cluster tells the test outside.
package verdict

import "github.com/qingcang/qingcang/hack/internal/recount"

// Verdict is one recount of everything that a cluster sold.
type Verdict struct {
	Result recount.Result `json:"result"`
	// Faults say in words what does not add up; none is right.
	Faults []string `json:"faults"`
	// Accepted are the orders that the lanes accepted, by id.
	Accepted map[string]recount.Accepted `json:"accepted"`
}
