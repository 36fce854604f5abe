package lane

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails if lanes, or their memberships in groups, leave goroutines behind.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreTopFunction("github.com/segmentio/kafka-go.(*connPool).discover"),
		goleak.IgnoreAnyFunction("github.com/segmentio/kafka-go.(*conn).run"),
		goleak.IgnoreAnyFunction("internal/poll.runtime_pollWait"),
	)
}
