package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/qingcang/qingcang/hack/internal/actor"
	"github.com/qingcang/qingcang/hack/internal/campaigns"
	"github.com/qingcang/qingcang/hack/internal/story"
)

// tellStory plays the spine's story by kubectl and HTTP.
func (t *test) tellStory(ctx context.Context) error {
	logs := filepath.Join(t.dir, "story")
	return story.Tell(ctx, indented{t.Out}, story.Stage{
		Addresses: t.shop.addresses, Desk: t.shop.desk, MongoURI: t.shop.mongoURI, Root: t.root,
		Dir: logs, Logs: func(ctx context.Context) error { return t.collectLogs(ctx, logs, namespace) },
	})
}

// begin opens a campaign for a sale whose orders all come to the shared pool.
func (t *test) begin(ctx context.Context, c campaigns.Campaign) (*sale, error) {
	status, err := t.shop.open(ctx, c)
	if err != nil {
		return nil, err
	}
	return &sale{test: t, name: c.Name, uid: status.UID, units: c.Items[0].Units, buyers: t.shop.buyers, accepted: map[string]buyer{}}, nil
}

// upgrade rolls every pod, the operator's and those of a campaign's own lane too, while half of its
// buyers come to the lane's pods and half to the shared pool.
func (t *test) upgrade(ctx context.Context) error {
	c := t.shop.campaign("mid-upgrade", 800)
	c.Dedicated = twoPods
	s, err := t.begin(ctx, c)
	if err != nil {
		return err
	}
	lane := laneName(s.name, s.uid)
	if err := t.laneHas(ctx, lane, "2", "2"); err != nil {
		return err
	}
	own, err := t.laneCast(ctx, lane)
	if err != nil {
		return err
	}
	s.buyers = append(own, s.buyers...)
	return s.through(ctx, func(ctx context.Context) error {
		began := time.Now()
		if err := t.helmUpgrade(ctx, t.versions[1]); err != nil {
			return err
		}
		// The operator passes the new pod template on to the lane.
		if err := soon(ctx, t.allUpgraded); err != nil {
			return err
		}
		return t.Expect(true, "every pod is of the new version after %.0f s, those of the lane too", time.Since(began).Seconds())
	})
}

// allUpgraded checks that no pod of the earlier version is left.
func (t *test) allUpgraded(ctx context.Context) error {
	images, err := t.cluster.in(ctx, "get", "pods", "--selector=app.kubernetes.io/part-of=qingcang",
		`--output=jsonpath={range .items[*]}{.metadata.name} {.spec.containers[0].image}{"\n"}{end}`)
	if err != nil {
		return err
	}
	if strings.Contains(images, ":"+t.versions[0]+"\n") {
		return fmt.Errorf("pods of the version before still run:\n%s", images)
	}
	return nil
}

// drain takes the suite's pods off the only node. A PodDisruptionBudget keeps one order pod, because
// the other's successor finds no node; so the sale goes on, and the drain waits.
func (t *test) drain(ctx context.Context) error {
	node, err := t.cluster.Kubectl(ctx, "", "get", "nodes", "--output=jsonpath={.items[0].metadata.name}")
	if err != nil {
		return err
	}
	s, err := t.begin(ctx, t.shop.campaign("mid-drain", 400))
	if err != nil {
		return err
	}
	return s.through(ctx, func(ctx context.Context) error {
		_, drained := t.cluster.Kubectl(ctx, "", "drain", node, "--pod-selector=app.kubernetes.io/name=order,app.kubernetes.io/part-of=qingcang",
			"--delete-emptydir-data", "--ignore-daemonsets", "--timeout=20s")
		if err := t.Expect(drained != nil && strings.Contains(drained.Error(), "disruption budget"), "the drain evicts one order pod and is held up at the other by its budget"); err != nil {
			return errors.Join(err, t.restore(ctx, node))
		}
		left, err := t.cluster.in(ctx, "get", "deployment", release+"-order", "--output=jsonpath={.status.readyReplicas}")
		if err == nil {
			err = t.Expect(left == "1", "one order pod answers")
		}
		return errors.Join(err, t.restore(ctx, node))
	})
}

// restore lets pods come back to the node, and waits until they have.
func (t *test) restore(ctx context.Context, node string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
	defer cancel()
	if _, err := t.cluster.Kubectl(ctx, "", "uncordon", node); err != nil {
		return err
	}
	if _, err := t.cluster.in(ctx, "rollout", "status", "deployment/"+release+"-order", "--timeout=100s"); err != nil {
		return err
	}
	return t.Expect(true, "the node is back, and so are the pods")
}

// uninstall takes the release away. CRDs and campaigns stay; a new installation finds them.
func (t *test) uninstall(ctx context.Context) error {
	c := t.shop.campaign("outlives", 5)
	c.Start = time.Now().Add(time.Hour)
	c.End = c.Start.Add(time.Hour)
	if err := t.shop.desk.Apply(ctx, c); err != nil {
		return err
	}
	if _, err := t.shop.reaches(ctx, c.Name, "Preview"); err != nil {
		return err
	}
	if _, err := t.cluster.runHelm(ctx, "uninstall", release, "--wait", "--timeout", "2m"); err != nil {
		return err
	}
	kinds, err := t.cluster.Kubectl(ctx, "", "get", "crds", "campaigns.sale.qingcang.io", "ownerprograms.sale.qingcang.io", "--output=name")
	if err != nil {
		return err
	}
	left, err := t.shop.desk.Get(ctx)
	if err != nil {
		return err
	}
	_, there := left[c.Name]
	if err := t.Expect(there && strings.Count(kinds, "\n") == 2, "both kinds and all %d campaigns are still there", len(left)); err != nil {
		return err
	}
	if err := t.install(ctx); err != nil {
		return err
	}
	if _, err := t.cluster.in(ctx, "delete", "campaign", c.Name, "--timeout=60s"); err != nil {
		return err
	}
	return t.Expect(true, "a new installation takes them over: one is deleted as usual")
}

// laneCast is who speaks to a campaign's own pods.
func (t *test) laneCast(ctx context.Context, service string) ([]buyer, error) {
	addresses := t.shop.addresses
	var err error
	if addresses.Order, err = t.url(ctx, namespace, service); err != nil {
		return nil, err
	}
	cast, err := actor.NewCast(addresses)
	if err != nil {
		return nil, err
	}
	out := make([]buyer, len(t.shop.buyers))
	for i, b := range t.shop.buyers {
		if out[i].Person, err = cast.LogIn(ctx, b.name); err != nil {
			return nil, err
		}
		out[i].name, out[i].addressID = b.name, b.addressID
	}
	return out, nil
}
