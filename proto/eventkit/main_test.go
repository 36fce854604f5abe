package eventkit

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// A connection of kafka-go that waits for an answer ends when the answer comes, at most
	// fetchWait after its Conn was closed.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/segmentio/kafka-go.(*conn).run"))
}
