//go:build !mutant_committed_secret

package main

// plantedSecret is what hack/prove adds to the tree to see it found: nothing here.
func plantedSecret() map[string]string { return nil }
