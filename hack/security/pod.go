//go:build !mutant_privileged_pod

package main

// plantedPod is a template that hack/prove adds to the chart to see it found: nothing here.
func plantedPod() map[string]string { return nil }
