package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/qingcang/qingcang/hack/endtoend/internal/verdict"
	"github.com/qingcang/qingcang/hack/internal/poll"
)

// judgeLimit is more than the judge waits for what is on its way.
const judgeLimit = 2 * time.Minute

// judge has a pod recount everything that was ever sold on this cluster.
func (t *test) judge(ctx context.Context) (verdict.Verdict, error) {
	var v verdict.Verdict
	args, err := json.Marshal([]string{"-mongodb", podMongoURI, "-kafka", kafka, "-within", "90s"})
	if err != nil {
		return v, fmt.Errorf("write the judge's arguments: %w", err)
	}
	name := fmt.Sprintf("judge-%d", time.Now().UnixMilli())
	pod, err := render("judge.yaml", map[string]string{
		"Name": name, "Namespace": outsideNamespace, "Images": t.cluster.testImages(), "Version": t.versions[0], "Args": string(args),
	})
	if err != nil {
		return v, err
	}
	outside := func(stdin string, args ...string) (string, error) {
		return t.cluster.Kubectl(ctx, stdin, append([]string{"--namespace", outsideNamespace}, args...)...)
	}
	if _, err := outside(pod, "apply", "-f", "-"); err != nil {
		return v, err
	}
	var phase string
	waited := poll.Within(ctx, judgeLimit, func(context.Context) error {
		var err error
		if phase, err = outside("", "get", "pod", name, "--output=jsonpath={.status.phase}"); err == nil && phase != "Succeeded" && phase != "Failed" {
			err = fmt.Errorf("the judge's pod is %s", phase)
		}
		return err
	})
	said, err := outside("", "logs", name)
	if err := errors.Join(waited, err); err != nil {
		return v, err
	}
	if err := json.Unmarshal([]byte(said), &v); err != nil || phase != "Succeeded" {
		return v, fmt.Errorf("the recount failed: %s", strings.TrimSpace(said))
	}
	_, err = outside("", "delete", "pod", name, "--wait=false")
	return v, err
}

// judged checks a sale by the recount: nothing amiss anywhere, exactly the stock sold, and every order
// that a buyer was promised among those that the lane accepted.
func (t *test) judged(ctx context.Context, uid string, units int64, promised map[string]buyer) error {
	v, err := t.judge(ctx)
	if err != nil {
		return err
	}
	if len(v.Faults) > 0 {
		return t.Expect(false, "the recount finds %d faults: %s", len(v.Faults), strings.Join(v.Faults[:min(len(v.Faults), 5)], "; "))
	}
	sold := int64(0)
	for _, a := range v.Accepted {
		if a.Campaign == uid && a.Sold {
			sold += a.Units
		}
	}
	for id := range promised {
		if _, there := v.Accepted[id]; !there {
			return t.Expect(false, "order %s was promised and is in no lane", id)
		}
	}
	return t.Expect(sold == units, "the recount: %d of %d units sold, all %d promised orders in the lane, books add up, nothing sold twice", sold, units, len(promised))
}
