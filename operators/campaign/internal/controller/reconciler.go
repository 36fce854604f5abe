// Package controller carries campaign plans out: it gathers the facts, asks for the plan, publishes
// what the plan says and writes one status.
package controller

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/campaign"
	"github.com/qingcang/qingcang/operators/campaign/internal/mirror"
)

// +kubebuilder:rbac:groups=sale.qingcang.io,resources=campaigns,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=sale.qingcang.io,resources=campaigns/status,verbs=patch
// +kubebuilder:rbac:groups="";events.k8s.io,resources=events,verbs=create;patch
// +kubebuilder:rbac:groups=coordination.k8s.io,resources=leases,verbs=get;create;update

// Reconciler brings one Campaign after the other to where its plan points.
type Reconciler struct {
	client   client.Client
	mirror   *mirror.Mirror
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
	snapshot := r.gather(c)
	now := r.now()
	steps := campaign.Plan(snapshot, now)

	if steps.Hold {
		if err := r.patchFinalizer(ctx, c, controllerutil.AddFinalizer); err != nil {
			return reconcile.Result{}, fmt.Errorf("add the finalizer: %w", err)
		}
	}
	var publishFault error
	if steps.Publish != nil {
		if publishFault = r.publish(ctx, steps.Publish); publishFault != nil {
			snapshot.PublishFault = publishFault.Error()
			steps = campaign.Plan(snapshot, now) // what people are to see of it
		}
	}
	if err := r.writeStatus(ctx, c, steps.Status); err != nil {
		return reconcile.Result{}, fmt.Errorf("write the status: %w", err)
	}
	if publishFault != nil {
		return reconcile.Result{}, publishFault // tried again with back-off
	}
	if steps.Release {
		if err := r.patchFinalizer(ctx, c, controllerutil.RemoveFinalizer); client.IgnoreNotFound(err) != nil {
			return reconcile.Result{}, fmt.Errorf("remove the finalizer: %w", err)
		}
	}
	return wakeAt(steps.WakeAt, now), nil
}

// gather puts together all that is known of a campaign.
func (r *Reconciler) gather(c *v1alpha1.Campaign) campaign.Snapshot {
	published, lane := r.mirror.Of(string(c.UID))
	snapshot := campaign.Snapshot{Settings: r.settings, Campaign: c, Published: published, Lane: lane}
	if published == nil {
		snapshot.Shared = r.sharedUse()
	}
	return snapshot
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

func (r *Reconciler) publish(ctx context.Context, d *campaignv1.Desired) error {
	if err := r.mirror.Publish(ctx, d); err != nil {
		publishFailures.Inc()
		return fmt.Errorf("publish: %w", err)
	}
	published.Inc()
	return nil
}

// patchFinalizer changes the list of finalizers, which a merge patch replaces as a whole: the
// optimistic lock keeps another controller's finalizer from being lost.
func (r *Reconciler) patchFinalizer(ctx context.Context, c *v1alpha1.Campaign, change func(client.Object, string) bool) error {
	before := c.DeepCopy()
	change(c, v1alpha1.Finalizer)
	return r.client.Patch(ctx, c, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
}

// writeStatus writes a status that differs from the object's, and tells people of what changed.
func (r *Reconciler) writeStatus(ctx context.Context, c *v1alpha1.Campaign, status *v1alpha1.CampaignStatus) error {
	if status == nil || equality.Semantic.DeepEqual(*status, c.Status) {
		return nil
	}
	before := c.DeepCopy()
	c.Status = *status
	if err := r.client.Status().Patch(ctx, c, client.MergeFrom(before)); err != nil {
		return client.IgnoreNotFound(err)
	}
	r.tell(c, &before.Status, status)
	return nil
}

// tell records an event for each change of the phase, and for each new reason not to be ready.
func (r *Reconciler) tell(c *v1alpha1.Campaign, before, after *v1alpha1.CampaignStatus) {
	if after.Phase != before.Phase {
		phaseChanges.WithLabelValues(string(after.Phase)).Inc()
		r.recorder.Eventf(c, nil, corev1.EventTypeNormal, string(after.Phase), "Advance", "The campaign is %s", after.Phase)
	}
	was := meta.FindStatusCondition(before.Conditions, v1alpha1.ConditionReady)
	is := meta.FindStatusCondition(after.Conditions, v1alpha1.ConditionReady)
	fault := is.Status != "True" && is.Reason != v1alpha1.ReasonPending
	if fault && (was == nil || was.Reason != is.Reason) {
		r.recorder.Eventf(c, nil, corev1.EventTypeWarning, is.Reason, "Check", "%s", is.Message)
	}
}

// wakeAt asks for the next look at a time that is not over.
func wakeAt(at, now time.Time) reconcile.Result {
	if at.IsZero() {
		return reconcile.Result{}
	}
	return reconcile.Result{RequeueAfter: max(at.Sub(now), time.Millisecond)}
}
