//go:build !mutant_strand

package campaign

// ended tells whether nothing of a deleted campaign is left to end. What the broker did not confirm may
// be there.
func ended(s Snapshot) bool {
	return s.Published.GetClosed() || s.Published == nil && s.Attempted == nil
}
