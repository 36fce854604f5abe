//go:build !mutant_stale

package campaign

import campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"

// stale tells whether an object is older than the one that was published: its update is on the way to
// the cache. Records from before revisions stood apart bear the object's generation in both.
func stale(objectGeneration int64, published *campaignv1.Desired) bool {
	known := published.GetSpecGeneration()
	if known == 0 {
		known = published.GetGeneration()
	}
	return objectGeneration < known
}
