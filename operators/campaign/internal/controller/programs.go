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
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	programv1 "github.com/qingcang/qingcang/proto/gen/program/v1"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/metrics"
	"github.com/qingcang/qingcang/operators/campaign/internal/mirror"
	"github.com/qingcang/qingcang/operators/campaign/internal/program"
)

// Programs brings one OwnerProgram after the other to where its plan points.
type Programs struct {
	client   client.Client
	records  *mirror.Records[*programv1.Desired]
	recorder events.EventRecorder
	cluster  string
	now      func() time.Time
}

// Reconcile makes one plan and carries it out.
func (r *Programs) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	p := &v1alpha1.OwnerProgram{}
	if err := r.client.Get(ctx, req.NamespacedName, p); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	uid := string(p.UID)
	snapshot := program.Snapshot{Cluster: r.cluster, Program: p}
	snapshot.Published, _ = r.records.Of(uid)
	snapshot.Newest, snapshot.Ended = r.records.Newest(uid)
	snapshot.Attempted, _ = r.records.Attempted(uid)
	now := r.now()
	steps := program.Plan(snapshot, now)

	if steps.Hold {
		if err := hold(ctx, r.client, p, v1alpha1.ProgramFinalizer, ""); err != nil {
			return reconcile.Result{}, fmt.Errorf("add the finalizer: %w", err)
		}
	}
	fault := r.publish(ctx, steps.Publish)
	if fault != nil {
		snapshot.PublishFault = fault.Error()
		snapshot.Attempted, _ = r.records.Attempted(uid)
		steps = program.Plan(snapshot, now) // what people are to see of it
	}
	if err := r.writeStatus(ctx, p, steps.Status); err != nil {
		return reconcile.Result{}, fmt.Errorf("write the status: %w", err)
	}
	if fault != nil {
		return reconcile.Result{}, fault // tried again with back-off
	}
	if steps.Release {
		err := dropFinalizer(ctx, r.client, p, v1alpha1.ProgramFinalizer)
		if client.IgnoreNotFound(err) != nil {
			return reconcile.Result{}, fmt.Errorf("remove the finalizer: %w", err)
		}
	}
	return wakeAt(steps.WakeAt, now), nil
}

func (r *Programs) publish(ctx context.Context, d *programv1.Desired) error {
	if d == nil {
		return nil
	}
	if err := r.records.Publish(ctx, d); err != nil {
		metrics.PublishFailures.WithLabelValues(mirror.ProgramTopic).Inc()
		return fmt.Errorf("publish: %w", err)
	}
	metrics.Published.WithLabelValues(mirror.ProgramTopic).Inc()
	return nil
}

func (r *Programs) writeStatus(ctx context.Context, p *v1alpha1.OwnerProgram, status *v1alpha1.OwnerProgramStatus) error {
	if status == nil || equality.Semantic.DeepEqual(*status, p.Status) {
		return nil
	}
	before := p.DeepCopy()
	p.Status = *status
	if err := r.client.Status().Patch(ctx, p, patchOf(before)); err != nil {
		return client.IgnoreNotFound(err)
	}
	metrics.StatusWrites.WithLabelValues("OwnerProgram").Inc()
	was := meta.FindStatusCondition(before.Status.Conditions, v1alpha1.ConditionReady)
	is := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady)
	switch {
	case was != nil && was.Reason == is.Reason:
	case is.Status == "True":
		r.recorder.Eventf(p, nil, corev1.EventTypeNormal, v1alpha1.ReasonPublished, "Publish", "The services have been told of the programme")
	default:
		r.recorder.Eventf(p, nil, corev1.EventTypeWarning, is.Reason, "Check", "%s", cut(is.Message))
	}
	return nil
}
