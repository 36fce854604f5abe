package view

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

// View is a campaign as it stands, for people by Tree, Line and Table, for programs as it is.
type View struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	UID       string `json:"uid"`
	Title     string `json:"title"`
	// Phase is empty until the operator has seen the campaign.
	Phase string `json:"phase"`
	// Paused tells that spec.suspend keeps new orders out.
	Paused bool `json:"paused"`
	// Deleting tells that the object goes when its end is published.
	Deleting bool  `json:"deleting"`
	Next     *Next `json:"next"`
	// Ready is the condition of that name, nil until there is one.
	Ready *Condition `json:"ready"`
	// Stale tells that the operator has not answered the newest spec yet.
	Stale bool `json:"stale"`
	// Wrong are the conditions that are not as they should be, Ready left out.
	Wrong  []Condition `json:"wrong"`
	Stock  Stock       `json:"stock"`
	Orders Orders      `json:"orders"`
	// Lane is nil until the operator has chosen one.
	Lane     *Lane   `json:"lane"`
	Children []Child `json:"children"`
	// ChildrenNote says why children are missing, empty where they are not.
	ChildrenNote string `json:"childrenNote,omitempty"`
	// LookedAt is when the cluster was asked, and Fault why a later look failed.
	LookedAt time.Time `json:"lookedAt"`
	Fault    string    `json:"fault,omitempty"`
}

// Condition is one of the status's conditions.
type Condition struct {
	Type    string    `json:"type"`
	Status  string    `json:"status"`
	Reason  string    `json:"reason"`
	Message string    `json:"message"`
	Since   time.Time `json:"since"`
}

// Stock is what the campaign was given, and where it is.
type Stock struct {
	Units int64 `json:"units"`
	Sold  int64 `json:"sold"`
	Held  int64 `json:"held"`
	Left  int64 `json:"left"`
}

// Orders are those that were paid, and how fast more come.
type Orders struct {
	Paid  int64 `json:"paid"`
	Final int64 `json:"final"`
	Pace
}

// Of puts together what is to be seen of a campaign at a moment.
func Of(f Facts, now time.Time) View {
	c := f.Campaign
	v := View{
		Namespace: c.Namespace, Name: c.Name, UID: string(c.UID), Title: c.Spec.Title,
		Phase: string(c.Status.Phase), Paused: c.Spec.Suspend, Deleting: !c.DeletionTimestamp.IsZero(),
		Next:     next(c, now),
		Stale:    c.Status.ObservedGeneration < c.Generation,
		Wrong:    wrong(c),
		Stock:    Stock{Units: c.Status.Units, Sold: c.Status.SoldUnits, Held: c.Status.HeldUnits, Left: c.Status.LeftUnits},
		Orders:   Orders{Paid: c.Status.PaidOrders, Final: c.Status.FinalOrders, Pace: f.Pace},
		Lane:     lane(f, now),
		Children: children(f.Around), ChildrenNote: f.Around.ChildrenNote,
		LookedAt: f.LookedAt, Fault: f.Fault,
	}
	if ready := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
		v.Ready = new(condition(*ready))
	}
	return v
}

// wrong are the conditions that are not True.
func wrong(c *v1alpha1.Campaign) []Condition {
	out := []Condition{}
	for _, is := range c.Status.Conditions {
		if is.Type != v1alpha1.ConditionReady && is.Status != metav1.ConditionTrue {
			out = append(out, condition(is))
		}
	}
	return out
}

func condition(c metav1.Condition) Condition {
	return Condition{
		Type: c.Type, Status: string(c.Status), Reason: c.Reason, Message: c.Message, Since: c.LastTransitionTime.UTC(),
	}
}
