//go:build !mutant_third_level

package simulate

// deepest is how many owners can share a commission. It stands apart so that a build with the tag
// mutant_third_level can get it wrong.
const deepest = 2
