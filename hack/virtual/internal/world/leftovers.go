package world

import (
	"regexp"
	"runtime"
	"strings"
)

var bubble = regexp.MustCompile(`synctest bubble \d+`)

// leftOvers are the stacks of the goroutines that still are in this bubble of virtual time, but for
// the one that asks and those that run the test.
func leftOvers() (stacks []string) {
	buffer := make([]byte, 1<<20)
	for {
		if n := runtime.Stack(buffer, true); n < len(buffer) {
			buffer = buffer[:n]
			break
		}
		buffer = make([]byte, 2*len(buffer))
	}
	all := strings.Split(string(buffer), "\n\n")
	here := bubble.FindString(all[0])
	for _, stack := range all[1:] {
		header, _, _ := strings.Cut(stack, "\n")
		if bubble.FindString(header) == here && !strings.Contains(stack, "synctest.Run") && !strings.Contains(stack, "testingSynctestTest") {
			stacks = append(stacks, stack)
		}
	}
	return stacks
}
