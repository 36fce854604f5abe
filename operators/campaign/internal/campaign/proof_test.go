package campaign

import (
	"runtime"
	"testing"

	"github.com/qingcang/qingcang/operators/campaign/internal/proof"
)

// TestProofTheOperatorConverges is row 18 in the pure core: an operator with a stale cache, one that
// crashes after any write, one that stands still and wakes up when another has taken over; a broker that
// fails or does not answer; an API server that refuses children and old copies.
func TestProofTheOperatorConverges(t *testing.T) {
	proof.Random(t, "18", proof.Trials{CI: 200, Full: 5_000}, runtime.GOMAXPROCS(0), func(t *proof.Trial) {
		newWorld(t).anyOrder(t.Rand)
	})
}
