package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/qingcang/qingcang/hack/internal/campaigns"
)

const (
	// laneAhead is from when a lane's start is moved near until it is due: warm-up has begun, and the
	// pods have that long to be there.
	laneAhead = 45 * time.Second
	laneUnits = 400
)

// twoPods run a lane of its own while it sells, one before, none after.
var twoPods = &campaigns.Dedicated{Before: 1, During: 2, After: 0, Max: 3}

// laneName is the name of what the operator makes for a campaign's own lane.
func laneName(campaign, uid string) string { return "lane-" + campaign + "-" + uid[:8] }

// ownLane takes a campaign with pods of its own from long before its start to after its end. In the sale
// its pods are deleted, first one, then all at once.
func (t *test) ownLane(ctx context.Context) error {
	c := t.shop.campaign("hot", laneUnits)
	c.Dedicated = twoPods
	c.Start = time.Now().Add(2 * time.Hour)
	c.End = c.Start.Add(time.Hour)
	if err := t.shop.desk.Apply(ctx, c); err != nil {
		return err
	}
	status, err := t.shop.reaches(ctx, c.Name, "Preview")
	if err != nil {
		return err
	}
	lane := laneName(c.Name, status.UID)
	if err := t.laneHas(ctx, lane, "1", "1"); err != nil {
		return err
	}
	if err := t.Expect(true, "two hours ahead: Deployment, Service, HorizontalPodAutoscaler and budget %s, one pod", lane); err != nil {
		return err
	}
	start := time.Now().Add(laneAhead).Truncate(time.Second)
	if err := t.shop.desk.StartAt(ctx, c.Name, start); err != nil {
		return err
	}
	if err := t.laneHas(ctx, lane, "2", "2"); err != nil {
		return err
	}
	if err := t.Expect(time.Now().Before(start), "the autoscaler's floor is 2 and both pods answer %.0f s before the start", time.Until(start).Seconds()); err != nil {
		return err
	}
	if _, err := t.shop.reaches(ctx, c.Name, "Live"); err != nil {
		return err
	}
	if err := t.sellHot(ctx, c.Name, status.UID, lane); err != nil {
		return err
	}
	if err := t.shop.desk.EndNow(ctx, c.Name); err != nil {
		return err
	}
	if _, err := t.shop.reaches(ctx, c.Name, "AfterSale"); err != nil {
		return err
	}
	err = soon(ctx, func(ctx context.Context) error {
		pods, err := t.lanePods(ctx, status.UID)
		if err == nil && len(pods) > 0 {
			err = fmt.Errorf("%d pods of the lane still run", len(pods))
		}
		return err
	})
	if err != nil {
		return err
	}
	return t.Expect(true, "after the sale its pods are gone; the shared pool answers")
}

// sellHot sells the whole stock through the lane's own Service while its pods go.
func (t *test) sellHot(ctx context.Context, name, uid, lane string) error {
	own, err := t.laneCast(ctx, lane)
	if err != nil {
		return err
	}
	s := &sale{test: t, name: name, uid: uid, units: laneUnits, buyers: own, accepted: map[string]buyer{}}
	return s.through(ctx, func(ctx context.Context) error {
		for _, how := range []struct {
			what string
			pods int
			args []string
		}{
			{"one pod of the lane is deleted", 1, nil},
			{"both pods of the lane are killed at once", 2, []string{"--grace-period=0", "--force"}},
		} {
			pods, err := t.lanePods(ctx, uid)
			if err != nil {
				return err
			}
			if len(pods) < how.pods {
				return fmt.Errorf("the lane has the pods %v, %d are to be deleted", pods, how.pods)
			}
			t.Sees("%s", how.what)
			if _, err := t.cluster.in(ctx, append(append([]string{"delete", "pod", "--wait=false"}, how.args...), pods[:how.pods]...)...); err != nil {
				return err
			}
			if err := t.replaced(ctx, uid, pods[:how.pods]); err != nil {
				return err
			}
			if err := t.laneHas(ctx, lane, "2", "2"); err != nil {
				return err
			}
		}
		return nil
	})
}

// replaced waits until none of these pods is left.
func (t *test) replaced(ctx context.Context, uid string, gone []string) error {
	return soon(ctx, func(ctx context.Context) error {
		pods, err := t.lanePods(ctx, uid)
		if err != nil {
			return err
		}
		for _, pod := range pods {
			for _, old := range gone {
				if pod == old {
					return fmt.Errorf("%s is still there", pod)
				}
			}
		}
		return nil
	})
}

// lanePods are the names of a lane's pods.
func (t *test) lanePods(ctx context.Context, uid string) ([]string, error) {
	out, err := t.cluster.in(ctx, "get", "pods", "--selector=sale.qingcang.io/campaign-uid="+uid, "--output=jsonpath={.items[*].metadata.name}")
	return strings.Fields(out), err
}

// laneHas waits until the autoscaler's floor and the number of ready pods are these.
func (t *test) laneHas(ctx context.Context, lane, floor, ready string) error {
	return soon(ctx, func(ctx context.Context) error {
		if _, err := t.cluster.in(ctx, "get", "service,poddisruptionbudget", lane); err != nil {
			return err
		}
		least, err := t.cluster.in(ctx, "get", "horizontalpodautoscaler", lane, "--output=jsonpath={.spec.minReplicas}")
		if err != nil {
			return err
		}
		pods, err := t.cluster.in(ctx, "get", "deployment", lane, "--output=jsonpath={.status.readyReplicas}")
		if err != nil {
			return err
		}
		if least != floor || pods != ready {
			return fmt.Errorf("the floor of %s is %s, and %s pods answer; want %s and %s", lane, least, pods, floor, ready)
		}
		return nil
	})
}
