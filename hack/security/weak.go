//go:build !mutant_weak_code

package main

// plantedCode is a package that hack/prove adds to the tree to see its faults found, and its folder:
// nothing here.
func plantedCode() (files map[string]string, folder string) { return nil, "" }
