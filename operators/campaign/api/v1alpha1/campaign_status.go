package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// CampaignStatus is what the operator, the brand's stock pool and the lane say of a campaign. The
// numbers come from the lane a moment late; what the lane decided counts.
type CampaignStatus struct {
	// ObservedGeneration is the metadata.generation that this status answers.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// Phase is how far the sale has gone.
	//
	// +optional
	Phase Phase `json:"phase,omitempty"`

	// Conditions say what is true of the campaign: Published, Allocated, LaneRunning, and Ready, which
	// is False with the deepest reason when any of them is not as it should be.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=8
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// Lane is the partition in which the campaign's orders count. It is chosen once and never changes.
	//
	// +optional
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="lane cannot change: orders count in the lane in which the campaign began"
	Lane *Lane `json:"lane,omitempty"`

	// PublishedAt is when the operator last told the services what is wanted.
	//
	// +optional
	PublishedAt *metav1.Time `json:"publishedAt,omitempty"`

	// Units is the stock that the campaign has been given: held, sold and left together.
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

	// FinalOrders are paid orders that can no longer change: their return window is over.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	FinalOrders int64 `json:"finalOrders"`
}

// Lane is one partition of a lane topic.
type Lane struct {
	// Topic is the logical name of the Kafka topic, for example lanes.shared.v1.
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

// Phase is how far a campaign has gone. It only goes forward once the sale is Live.
//
// +kubebuilder:validation:Enum=Preview;Warming;Live;Draining;AfterSale;Settled
type Phase string

// The phases, in their order.
const (
	// PhasePreview: the sale is planned; it is more than ten minutes to the start, or its stock is not
	// allocated.
	PhasePreview Phase = "Preview"
	// PhaseWarming: the stock is allocated and the start is near.
	PhaseWarming Phase = "Warming"
	// PhaseLive: the lane sells.
	PhaseLive Phase = "Live"
	// PhaseDraining: nothing new is sold; held orders may still be paid.
	PhaseDraining Phase = "Draining"
	// PhaseAfterSale: no hold is left, unsold units went back to the brand, returns may come.
	PhaseAfterSale Phase = "AfterSale"
	// PhaseSettled: each order is final and each payment settled.
	PhaseSettled Phase = "Settled"
)

// The condition types of a Campaign.
const (
	// ConditionReady is the one to look at: the campaign does what its spec says.
	ConditionReady = "Ready"
	// ConditionPublished: the services have been told this generation of the spec.
	ConditionPublished = "Published"
	// ConditionAllocated: the brand's pool gave the stock of this generation.
	ConditionAllocated = "Allocated"
	// ConditionLaneRunning: the lane takes in what is wanted and keeps time.
	ConditionLaneRunning = "LaneRunning"
)

// The reasons of the conditions. A refusal of the brand's pool brings its own: UnknownBrand,
// BrandSuspended, UnknownSKU, SettlementTooLow or NotEnoughStock.
const (
	// ReasonPending: an answer is awaited, nothing is wrong yet.
	ReasonPending = "Pending"
	// ReasonPublished: the desired state stands in campaigns.v1.
	ReasonPublished = "Published"
	// ReasonAllocated: the pool gave the stock.
	ReasonAllocated = "Allocated"
	// ReasonRefused: the pool refused without a reason of its own.
	ReasonRefused = "Refused"
	// ReasonRunning: the lane follows.
	ReasonRunning = "Running"
	// ReasonLaneStopped: the lane stands still and says why.
	ReasonLaneStopped = "LaneStopped"
	// ReasonLaneSilent: the lane does not answer or did not keep a time.
	ReasonLaneSilent = "LaneSilent"
	// ReasonWindowTooShort: the return window is under what this operator allows.
	ReasonWindowTooShort = "WindowTooShort"
	// ReasonPublishFailed: the broker did not take the desired state; it is tried again.
	ReasonPublishFailed = "PublishFailed"
	// ReasonEnded: the end of this campaign was published before, and an end is final.
	ReasonEnded = "Ended"
	// ReasonAsWanted: everything is as the spec says.
	ReasonAsWanted = "AsWanted"
	// ReasonSuspended: as wanted, and spec.suspend keeps it from selling.
	ReasonSuspended = "Suspended"
)

// Finalizer keeps a deleted Campaign until its end stands in campaigns.v1, from which the lane
// closes the sale. Paid orders do not need the object after that.
const Finalizer = "sale.qingcang.io/campaign"
