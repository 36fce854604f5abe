package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// CampaignStatus is what the operator, the brand's stock pool and the lane say
// of a campaign. The numbers come from the lane a moment late; what the lane
// decided counts.
type CampaignStatus struct {
	// ObservedGeneration is the metadata.generation that this status answers.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// Revision is the generation of the record in campaigns.v1. It grows by one
	// with each record that is published, also with one that asks the brand's pool
	// again for what it refused, and is never under the metadata.generation that
	// the record was made from.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	Revision int64 `json:"revision,omitempty"`

	// Phase is how far the sale has gone.
	//
	// +optional
	Phase Phase `json:"phase,omitempty"`

	// StartsAt is spec.startAt in spec.timeZone, for example "2026-11-24
	// 20:00:00".
	//
	// +optional
	// +kubebuilder:validation:MaxLength=19
	StartsAt string `json:"startsAt,omitempty"`

	// EndsAt is spec.endAt in spec.timeZone.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=19
	EndsAt string `json:"endsAt,omitempty"`

	// Conditions say what is true of the campaign: Selected, Published, Allocated,
	// LaneRunning, Scaled, and Ready, which is False with the deepest reason when
	// any of them is not as it should be.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=8
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// Lane is the partition in which the campaign's orders count. It is chosen
	// once and never changes.
	//
	// +optional
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="lane cannot change, because orders count in the lane in which the campaign began: put the old one back"
	Lane *Lane `json:"lane,omitempty"`

	// PublishedAt is when the operator last told the services what is wanted.
	//
	// +optional
	PublishedAt *metav1.Time `json:"publishedAt,omitempty"`

	// ReportedAt is when the operator last heard of the campaign from its lane, to
	// half a minute: a report that changes nothing else here is not worth a write
	// to the API server.
	//
	// +optional
	ReportedAt *metav1.Time `json:"reportedAt,omitempty"`

	// LaneOffset is the offset in the lane up to which the numbers here are true.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	LaneOffset int64 `json:"laneOffset,omitempty"`

	// Scale is how many pods a dedicated lane has. Left out for the shared pool.
	//
	// +optional
	Scale *LaneScale `json:"scale,omitempty"`

	// Units is the stock that the campaign has been given: held, sold and left
	// together.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	Units int64 `json:"units"`

	// SoldUnits are paid for. Goods returned later are still counted.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	SoldUnits int64 `json:"soldUnits"`

	// HeldUnits belong to orders that wait for their payment.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	HeldUnits int64 `json:"heldUnits"`

	// LeftUnits can be bought now.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	LeftUnits int64 `json:"leftUnits"`

	// OpenedAt is when the lane opened the sale.
	//
	// +optional
	OpenedAt *metav1.Time `json:"openedAt,omitempty"`

	// ClosedAt is when the lane closed the sale.
	//
	// +optional
	ClosedAt *metav1.Time `json:"closedAt,omitempty"`

	// PaidOrders were paid in time.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	PaidOrders int64 `json:"paidOrders"`

	// FinalOrders are paid orders that can no longer change: their return window
	// is over.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	FinalOrders int64 `json:"finalOrders"`
}

// SharedLanes is the topic whose partitions many campaigns share; each other is one campaign's own.
const SharedLanes = "lanes.shared.v1"

// Lane is one partition of a lane topic.
type Lane struct {
	// Topic is the logical name of the Kafka topic: lanes.shared.v1, or lane.<uid>
	// for a lane of its own.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=249
	Topic string `json:"topic"`

	// Partition of the topic, from 0.
	//
	// +required
	// +kubebuilder:validation:Minimum=0
	Partition int32 `json:"partition"`
}

// LaneScale is how many pods of a dedicated lane there are to be and are.
type LaneScale struct {
	// Wanted is the least number by the schedule: replicas before, during or after
	// the sale.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	Wanted int32 `json:"wanted"`

	// Ready is how many answer.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	Ready int32 `json:"ready"`
}

// Phase is how far a campaign has gone. It only goes forward once the sale is
// Live.
//
// +kubebuilder:validation:Enum=Preview;Warming;Live;Draining;AfterSale;Settled
type Phase string

// The phases, in their order.
const (
	// PhasePreview: the sale is planned; it is more than ten minutes to the start,
	// or its stock is not allocated.
	PhasePreview Phase = "Preview"
	// PhaseWarming: the stock is allocated and the start is near.
	PhaseWarming Phase = "Warming"
	// PhaseLive: the lane sells.
	PhaseLive Phase = "Live"
	// PhaseDraining: nothing new is sold; held orders may still be paid.
	PhaseDraining Phase = "Draining"
	// PhaseAfterSale: no hold is left, unsold units went back to the brand,
	// returns may come.
	PhaseAfterSale Phase = "AfterSale"
	// PhaseSettled: each order is final and each payment settled.
	PhaseSettled Phase = "Settled"
)
