package systems

import (
	"context"
	"slices"
	"time"

	"github.com/qingcang/qingcang/proto/eventkit"
)

const (
	scratchTopic = "bench.scratch"
	// acknowledgements are enough for a median.
	acknowledgements = 200
	// orderBytes is about what an order takes in the lane.
	orderBytes = 200
)

// Acknowledgement is the median time that the idle broker takes to acknowledge one record.
func (us *Ours) Acknowledgement(ctx context.Context) (time.Duration, error) {
	err := us.conn.Ensure(ctx, eventkit.Topic{Name: scratchTopic, Partitions: 1, Cleanup: "delete", RetentionMs: -1, MaxMessageBytes: 1 << 20})
	if err != nil {
		return 0, err
	}
	took := make([]time.Duration, acknowledgements)
	for i := range took {
		started := time.Now()
		if _, err := us.conn.Append(ctx, scratchTopic, 0, [][]byte{make([]byte, orderBytes)}); err != nil {
			return 0, err
		}
		took[i] = time.Since(started)
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}
