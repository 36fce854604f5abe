package view

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

// Lane is where the campaign's orders count.
type Lane struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Dedicated bool   `json:"dedicated"`
	// ReportAgeSeconds is how old the lane's last word is, nil before its first.
	ReportAgeSeconds *int64 `json:"reportAgeSeconds"`
	// BehindEntries is how far the slowest pod is behind the fastest, nil where no pod's metrics can
	// be read.
	BehindEntries *int64 `json:"behindEntries"`
	Pods          []Pod  `json:"pods"`
	// PodsNote says why pods are missing, empty where they are not.
	PodsNote string `json:"podsNote,omitempty"`
}

// Pod is one that runs the lane.
type Pod struct {
	Name string `json:"name"`
	// State is the phase, or what keeps it from that: Terminating, CrashLoopBackOff.
	State      string `json:"state"`
	Ready      bool   `json:"ready"`
	Restarts   int32  `json:"restarts"`
	AgeSeconds int64  `json:"ageSeconds"`
	Node       string `json:"node"`
}

func lane(f Facts, now time.Time) *Lane {
	is := f.Campaign.Status.Lane
	if is == nil {
		return nil
	}
	l := &Lane{
		Topic: is.Topic, Partition: is.Partition, Dedicated: is.Topic != v1alpha1.SharedLanes,
		ReportAgeSeconds: reportAge(f.Campaign, now), BehindEntries: f.Around.Behind,
		Pods: []Pod{}, PodsNote: f.Around.PodsNote,
	}
	for _, p := range f.Around.Pods {
		l.Pods = append(l.Pods, pod(p, now))
	}
	slices.SortFunc(l.Pods, func(a, b Pod) int { return strings.Compare(a.Name, b.Name) })
	return l
}

func reportAge(c *v1alpha1.Campaign, now time.Time) *int64 {
	at := c.Status.ReportedAt
	if at == nil {
		return nil
	}
	// The operator's clock may be ahead of this one.
	return new(max(0, int64(now.Sub(at.Time)/time.Second)))
}

func pod(p corev1.Pod, now time.Time) Pod {
	out := Pod{
		Name: p.Name, State: string(p.Status.Phase), Node: p.Spec.NodeName,
		AgeSeconds: max(0, int64(now.Sub(p.CreationTimestamp.Time)/time.Second)), // this clock may be behind
	}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			out.Ready = c.Status == corev1.ConditionTrue
		}
	}
	for _, c := range p.Status.ContainerStatuses {
		out.Restarts += c.RestartCount
		if c.State.Waiting != nil && c.State.Waiting.Reason != "" {
			out.State = c.State.Waiting.Reason
		}
	}
	if p.DeletionTimestamp != nil {
		out.State = "Terminating"
	}
	return out
}

func (p Pod) text() string {
	ready := "not ready"
	if p.Ready {
		ready = "ready"
	}
	parts := []string{p.State, ready}
	switch {
	case p.Restarts == 1:
		parts = append(parts, "1 restart")
	case p.Restarts > 1:
		parts = append(parts, fmt.Sprintf("%d restarts", p.Restarts))
	}
	parts = append(parts, "age "+Span(p.AgeSeconds))
	if p.Node != "" {
		parts = append(parts, "on "+p.Node)
	}
	return strings.Join(parts, ", ")
}

func (l *Lane) text() string {
	kind := "shared"
	if l.Dedicated {
		kind = "dedicated"
	}
	return fmt.Sprintf("%s partition %d, %s", l.Topic, l.Partition, kind)
}

// lag is how late what is shown may be.
func (l *Lane) lag() string {
	text := "no report yet"
	if l.ReportAgeSeconds != nil {
		text = fmt.Sprintf("last report %s old", Span(*l.ReportAgeSeconds))
	}
	if l.BehindEntries != nil {
		text += fmt.Sprintf("; slowest pod %s entries behind", thousands(*l.BehindEntries))
	}
	return text
}
