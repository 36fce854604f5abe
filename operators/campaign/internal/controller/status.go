package controller

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/metrics"
)

// writeStatus writes a status that differs from the object's, and tells people of what changed. The
// optimistic lock refuses a status made from a copy that is no longer the newest.
func (r *Reconciler) writeStatus(ctx context.Context, c *v1alpha1.Campaign, status *v1alpha1.CampaignStatus) error {
	if status == nil || equality.Semantic.DeepEqual(*status, c.Status) {
		return nil
	}
	named := metav1.ObjectMeta{Namespace: c.Namespace, Name: c.Name, ResourceVersion: c.ResourceVersion}
	before := &v1alpha1.Campaign{ObjectMeta: named, Status: c.Status}
	after := &v1alpha1.Campaign{ObjectMeta: named, Status: *status}
	if err := r.client.Status().Patch(ctx, after, patchOf(before)); err != nil {
		return client.IgnoreNotFound(err)
	}
	c.Status, c.ResourceVersion = *status, after.ResourceVersion
	metrics.StatusWrites.WithLabelValues("Campaign").Inc()
	r.tell(c, &before.Status, status)
	return nil
}

// tell records an event for each change of the phase, and for each new reason not to be ready.
func (r *Reconciler) tell(c *v1alpha1.Campaign, before, after *v1alpha1.CampaignStatus) {
	if after.Phase != before.Phase {
		metrics.PhaseChanges.WithLabelValues(string(after.Phase)).Inc()
		r.note(c, string(after.Phase), phaseNews[after.Phase])
		if after.Phase == v1alpha1.PhaseLive && before.Phase != "" {
			r.measureStart(c, after)
		}
	}
	if was, is := ready(before), ready(after); is.Reason != was.Reason && is.Reason != v1alpha1.ReasonPending {
		switch {
		case is.Status != "True":
			r.warn(c, is.Reason, is.Message)
		case was.Status == "False" && was.Reason != v1alpha1.ReasonPending:
			r.note(c, "Recovered", "Ready again, after "+was.Reason)
		}
	}
}

// phaseNews is what people read when a campaign comes into a phase.
var phaseNews = map[v1alpha1.Phase]string{
	v1alpha1.PhasePreview:   "The campaign is planned",
	v1alpha1.PhaseWarming:   "The stock is allocated and the start is near",
	v1alpha1.PhaseLive:      "The lane has opened the sale",
	v1alpha1.PhaseDraining:  "The sale has closed; what is held can still be paid",
	v1alpha1.PhaseAfterSale: "No hold is left, unsold units are with the brand again; goods may come back",
	v1alpha1.PhaseSettled:   "Each paid order is final and each payment settled",
}

// measureStart tells how long after its time a sale was seen to be live.
func (r *Reconciler) measureStart(c *v1alpha1.Campaign, s *v1alpha1.CampaignStatus) {
	times, err := c.Spec.Schedule()
	if err != nil {
		return
	}
	due := times.Start
	if a := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionAllocated); a != nil && a.LastTransitionTime.After(due) {
		due = a.LastTransitionTime.Time
	}
	if late := r.now().Sub(due); late < 24*time.Hour { // what was long live when it was first seen says nothing
		metrics.LiveDelaySeconds.Observe(max(late, 0).Seconds())
	}
}

type readiness struct{ Status, Reason, Message string }

func ready(s *v1alpha1.CampaignStatus) readiness {
	c := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionReady)
	if c == nil {
		return readiness{}
	}
	return readiness{string(c.Status), c.Reason, c.Message}
}

// note and warn record an event.
func (r *Reconciler) note(c *v1alpha1.Campaign, reason, message string) {
	r.recorder.Eventf(c, nil, corev1.EventTypeNormal, reason, "Advance", "%s", message)
}

func (r *Reconciler) warn(c *v1alpha1.Campaign, reason, message string) {
	r.recorder.Eventf(c, nil, corev1.EventTypeWarning, reason, "Check", "%s", cut(message))
}

// maxNote is what the API server takes as the note of an event.
const maxNote = 1_000

func cut(message string) string {
	if len(message) <= maxNote {
		return message
	}
	return string([]rune(message)[:maxNote/4]) + "…"
}
