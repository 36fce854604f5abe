package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
)

// chartTests are what the chart is held to, in every way in which it is installed.
var chartTests = []string{
	"TestPodsCanDoNothingThatTheyNeedNot",
	"TestEachPodSeesItsOwnSecretsAlone",
	"TestTheOperatorMayDoWhatItsCodeDoesAndNoMore",
	"TestTheOperatorHasNoRightThatWouldHelpAThief",
	"TestEveryPodIsDeniedWhatNoPolicyAllows",
	"TestEachPodReachesWhatItNeedsAndNoMore",
	"TestPoliciesAreAsNarrowAsTheValuesSay",
	"TestNoValueInstallsASimulator",
}

// serverTest has a real API server judge every pod by the standard "restricted".
const serverTest = "TestTheAPIServer"

// charts runs the tests of package hack/chart that are about what a pod, a right and a connection may be.
func charts(ctx context.Context, root string) (result, error) {
	ctx, cancel := context.WithTimeout(ctx, searchTimeout)
	defer cancel()
	if planted := plantedPod(); planted != nil {
		return inCopy(ctx, root, planted, func(root string) (result, error) { return tests(ctx, root, chartTests) })
	}
	return tests(ctx, root, append(slices.Clone(chartTests), serverTest))
}

// tests runs tests of hack/chart. Each failed one is a finding; one that does not exist any more is a fault.
func tests(ctx context.Context, root string, names []string) (result, error) {
	run := exec.CommandContext(ctx, "go", "test", "-json", "-count=1", "-run", "^("+strings.Join(names, "|")+")$", "./hack/chart")
	run.Dir = root
	said, err := output(run)
	var r result
	var ran []string
	scanner := bufio.NewScanner(bytes.NewReader(said))
	for scanner.Scan() {
		var event struct{ Action, Test, Output string }
		if json.Unmarshal(scanner.Bytes(), &event) != nil {
			continue // a complaint of the compiler
		}
		switch event.Action {
		case "pass", "fail":
			if event.Test != "" {
				r.looked++
				ran = append(ran, event.Test)
			}
		case "output":
			if text := strings.TrimSpace(event.Output); strings.Contains(text, "_test.go:") {
				r.found = append(r.found, event.Test+": "+text)
			}
		}
	}
	for _, name := range names {
		if !slices.Contains(ran, name) {
			return result{}, errors.Join(err, scanner.Err(), fmt.Errorf("hack/chart did not run %s", name))
		}
	}
	if err != nil && len(r.found) == 0 {
		return result{}, err
	}
	return r, scanner.Err()
}
