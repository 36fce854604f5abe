//go:build !mutant_strand

package campaign

// ended tells whether nothing of a deleted campaign is left to end: its end stands in campaigns.v1 and no
// reader knows a newer record, or nothing was ever written. What the broker did not confirm may be there.
func ended(s Snapshot) bool {
	outrun := s.Newest.GetGeneration() >= s.Published.GetGeneration() && !s.Newest.GetClosed()
	return s.Published.GetClosed() && !outrun || s.Published == nil && s.Attempted == nil
}
