package journal_test

import (
	"testing"

	"github.com/qingcang/qingcang/services/internal/journal"
)

func TestRoutesLeadIntoEachShard(t *testing.T) {
	for shard, route := range journal.Routes() {
		if route == "" || journal.ShardOf(route) != shard {
			t.Errorf("route %q leads to shard %d, want %d", route, journal.ShardOf(route), shard)
		}
	}
}
