package load

import (
	"slices"
	"time"
)

// Result is what the generator saw.
type Result struct {
	// Statuses counts answers by HTTP status.
	Statuses map[int]int
	// Took is from the first request to the last answer.
	Took time.Duration
	// OwnCPU is what the generator's thread used.
	OwnCPU time.Duration
	// Latencies are sorted. In an open loop they count from the intended start.
	Latencies []time.Duration
	// TurnedAway are the sorted times from the sending of a request to its 429.
	TurnedAway []time.Duration
	// Bodies are those of the 201s, where the plan asked for them, and Answered when each came.
	Bodies   [][]byte
	Answered []time.Time
}

// Accepted is the number of orders that were answered 201.
func (r Result) Accepted() int { return r.Statuses[201] }

// Answers is the number of answers of any kind.
func (r Result) Answers() int { return len(r.Latencies) }

// Rate is accepted orders a second.
func (r Result) Rate() float64 { return float64(r.Accepted()) / r.Took.Seconds() }

// Quantile returns the latency that a share q of the answers did not exceed.
func (r Result) Quantile(q float64) time.Duration { return Quantile(r.Latencies, q) }

// Quantile returns what a share q of the sorted values does not exceed, 0 of none.
func Quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

func (r *Result) sort() {
	slices.Sort(r.Latencies)
	slices.Sort(r.TurnedAway)
}
