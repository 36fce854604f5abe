package v1alpha1

// LaneSpec says where a campaign's orders are computed, and how a lane that
// stands still goes on.
type LaneSpec struct {
	// Dedicated gives the campaign a lane and pods of its own, so that no other
	// sale's load is felt in it and its load is felt in no other. It is for a sale
	// of which more than some 1,000 orders a second are expected. Left out: the
	// shared pool. It cannot be added or taken out once the lane was chosen, which
	// is within a second of the campaign's creation; the replicas may change at
	// any time.
	//
	// The schedule sets the least number of pods, so that they stand ready before
	// the first buyer comes; load may raise it up to maxReplicas. The shared pool
	// follows a dedicated lane too, so the sale goes on if all its pods are gone.
	//
	// +optional
	Dedicated *DedicatedLane `json:"dedicated,omitempty"`

	// SkipOffsets are entries of the campaign's lane that stopped it and are not
	// to count, for example [181204]: the offsets that the message of LaneStopped
	// names, or, where it names a gap, each offset that is missing. What such an
	// entry asked for never happens, for any campaign of the lane, so first find
	// out what it was; an entry of a newer version calls for the newer order
	// service, not for this. An offset may be added while the sale runs and can
	// never be taken out again, because every replica that starts must pass over
	// the same entries. Leave it out unless the lane stands still.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:Minimum=0
	SkipOffsets []int64 `json:"skipOffsets,omitempty"`
}

// DedicatedLane is the size of a lane's own Deployment.
//
// +kubebuilder:validation:XValidation:rule="self.maxReplicas >= self.replicas.during && self.maxReplicas >= self.replicas.before && self.maxReplicas >= self.replicas.after",fieldPath=".maxReplicas",message="maxReplicas must not be under any of replicas: raise it to the largest of them"
type DedicatedLane struct {
	// Replicas are the least numbers of pods: before, during and after the sale.
	//
	// +required
	Replicas LaneReplicas `json:"replicas"`

	// MaxReplicas is up to how many pods load may raise the lane, for example 6,
	// at most 50. Every pod computes the whole lane and answers its share of the
	// requests; beyond what the requests need, more pods bring nothing.
	//
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=50
	MaxReplicas int32 `json:"maxReplicas"`
}

// LaneReplicas are the least numbers of pods of a lane by the time of the
// sale.
type LaneReplicas struct {
	// Before is how many run until warm-up, 0 to 50. 1, the default, answers early
	// visitors and shows long before the start that the pod can be placed and its
	// image can be had. At 0 the shared pool answers.
	//
	// +optional
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=50
	Before int32 `json:"before"`

	// During is how many run from ten minutes before startAt until the sale has
	// closed, 1 to 50, for example 3.
	//
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=50
	During int32 `json:"during"`

	// After is how many run from the close until the object is deleted, 0 to 50.
	// 0, the default, leaves payments of the last holds and pages of orders to the
	// shared pool.
	//
	// +optional
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=50
	After int32 `json:"after"`
}
