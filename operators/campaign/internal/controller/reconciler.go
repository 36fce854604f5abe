// Package controller carries plans out: it gathers the facts, asks for the plan, writes what the plan
// says and then one status.
package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/qingcang/qingcang/proto/eventkit"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/campaign"
	"github.com/qingcang/qingcang/operators/campaign/internal/metrics"
	"github.com/qingcang/qingcang/operators/campaign/internal/mirror"
	"github.com/qingcang/qingcang/operators/campaign/internal/stock"
)

// +kubebuilder:rbac:groups=sale.qingcang.io,resources=campaigns;ownerprograms,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=sale.qingcang.io,resources=campaigns/status;ownerprograms/status,verbs=patch
// +kubebuilder:rbac:groups="";events.k8s.io,resources=events,verbs=create;patch
// +kubebuilder:rbac:groups=coordination.k8s.io,resources=leases,verbs=get;create;update

// Topics makes topics that are not always there; *eventkit.Conn does.
type Topics interface {
	Ensure(ctx context.Context, topics ...eventkit.Topic) error
}

// Reconciler brings one Campaign after the other to where its plan points.
type Reconciler struct {
	client   client.Client
	mirror   *mirror.Mirror
	stock    *stock.Mirror
	topics   Topics
	recorder events.EventRecorder
	settings campaign.Settings
	// partitions of the shared lanes.
	partitions int
	now        func() time.Time
}

// Reconcile makes one plan and carries it out.
func (r *Reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	c := &v1alpha1.Campaign{}
	if err := r.client.Get(ctx, req.NamespacedName, c); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	snapshot, err := r.gather(ctx, c)
	if err != nil {
		return reconcile.Result{}, err
	}
	now := r.now()
	steps := r.plan(snapshot, now)

	if steps.Hold || steps.Note != "" {
		if err := hold(ctx, r.client, c, v1alpha1.Finalizer, steps.Note); err != nil {
			return reconcile.Result{}, fmt.Errorf("add the finalizer and note the lane: %w", err)
		}
	}
	// What goes wrong from here on is shown in the status before it is tried again.
	var faults []error
	if fault := r.applyAll(ctx, c, steps.Children); fault != nil {
		snapshot.Pods.Fault = fault.Error()
		faults = append(faults, fault)
		steps = r.plan(snapshot, now)
	}
	if fault := r.publish(ctx, steps); fault != nil {
		snapshot.PublishFault = fault.Error()
		snapshot.Attempted, _ = r.mirror.Campaigns.Attempted(string(c.UID))
		faults = append(faults, fault)
		steps = r.plan(snapshot, now)
	}
	if err := r.writeStatus(ctx, c, steps.Status); err != nil {
		return reconcile.Result{}, fmt.Errorf("write the status: %w", err)
	}
	if len(faults) > 0 {
		return reconcile.Result{}, errors.Join(faults...) // tried again with back-off
	}
	if err := r.writeItems(ctx, c, steps.Items); err != nil {
		return reconcile.Result{}, fmt.Errorf("write spec.items: %w", err)
	}
	if steps.Release {
		err := dropFinalizer(ctx, r.client, c, v1alpha1.Finalizer)
		if client.IgnoreNotFound(err) != nil {
			return reconcile.Result{}, fmt.Errorf("remove the finalizer: %w", err)
		}
	}
	return wakeAt(steps.WakeAt, now), nil
}

func (r *Reconciler) plan(s campaign.Snapshot, now time.Time) campaign.Steps {
	started := time.Now()
	steps := campaign.Plan(s, now)
	metrics.PlanSeconds.Observe(time.Since(started).Seconds())
	return steps
}

// publish writes what a plan says, after it has made the topic in which its orders will count.
func (r *Reconciler) publish(ctx context.Context, steps campaign.Steps) error {
	if steps.Publish == nil {
		return nil
	}
	if err := r.makeTopic(ctx, steps.Topic); err != nil {
		metrics.PublishFailures.WithLabelValues(mirror.DesiredTopic).Inc()
		return err
	}
	if err := r.mirror.Campaigns.Publish(ctx, steps.Publish); err != nil {
		metrics.PublishFailures.WithLabelValues(mirror.DesiredTopic).Inc()
		return fmt.Errorf("publish: %w", err)
	}
	metrics.Published.WithLabelValues(mirror.DesiredTopic).Inc()
	if steps.Again {
		metrics.AskedAgain.Inc()
	}
	return nil
}

func (r *Reconciler) makeTopic(ctx context.Context, name string) error {
	if name == "" {
		return nil
	}
	topic, known := eventkit.TopicNamed(name)
	if !known {
		return fmt.Errorf("topic %s is of no family that is known", name)
	}
	return r.topics.Ensure(ctx, topic)
}

// writeItems writes the goods that a selector came to, as a manager of their own, so that a manifest that
// is applied again without them does not take them away.
func (r *Reconciler) writeItems(ctx context.Context, c *v1alpha1.Campaign, items []v1alpha1.Item) error {
	if items == nil {
		return nil
	}
	// To wait until the cache has it, the client would begin to cache campaigns a second time, unstructured as
	// they are written here: a hundred items take ten times as much so.
	err := r.client.Apply(ctx, itemsOf(c, items), client.FieldOwner(itemsManager), client.ForceOwnership, client.DisableReadYourWritesConsistency)
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case apierrors.IsConflict(err):
		return err
	case err != nil:
		r.warn(c, "ItemsRefused", err.Error())
		return err
	}
	metrics.Resolved.Inc()
	r.note(c, v1alpha1.ReasonResolved, fmt.Sprintf("spec.selector came to %d SKUs; they stand in spec.items", len(items)))
	return nil
}

// wakeAt asks for the next look at a time that is not over.
func wakeAt(at, now time.Time) reconcile.Result {
	if at.IsZero() {
		return reconcile.Result{}
	}
	return reconcile.Result{RequeueAfter: max(at.Sub(now), time.Millisecond)}
}

// sharedUse counts the campaigns of each shared partition that sell or will sell.
func (r *Reconciler) sharedUse() []campaign.LaneUse {
	use := make([]campaign.LaneUse, r.partitions)
	for i := range use {
		use[i].Partition = int32(i)
	}
	r.mirror.Each(func(d *campaignv1.Desired, s *campaignv1.Status) {
		l := d.GetLane()
		over := d.GetClosed() || s.GetPhase() >= campaignv1.Status_PHASE_DRAINED
		if !over && l.GetTopic() == campaign.SharedLanes && int(l.GetPartition()) < len(use) {
			use[l.GetPartition()].Campaigns++
		}
	})
	return use
}
