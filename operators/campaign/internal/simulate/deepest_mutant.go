//go:build mutant_third_level

package simulate

// deepest is one level too many, on purpose: see deepest.go.
const deepest = 3
