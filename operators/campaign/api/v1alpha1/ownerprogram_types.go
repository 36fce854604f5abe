package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// OwnerProgram is a programme for store owners: what the membership costs,
// what owners earn, and how they take it out. store-owner follows the
// programme that its OWNER_PROGRAM names, "standard" if nothing is said, and
// obeys its fee so far; the rest is checked here, published, and reckoned with
// by simulate. A Campaign must have its returnWindow. Deleting it ends the
// programme for memberships ordered from then on; members keep what they have.
//
// What the law forbids (禁止传销条例, article 7; 消费者权益保护法, article 25) is
// refused with the name of the rule; fields that say "forbidden" exist only
// for that.
//
//	kubectl get ownerprograms               whether the services know it
//	kubectl qingcang simulate -f FILE       the most that it can cost
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=ownerprograms,scope=Namespaced,shortName=op,categories=qingcang
// +kubebuilder:printcolumn:name="Fee fen",type=integer,JSONPath=`.spec.feeFen`
// +kubebuilder:printcolumn:name="Depth",type=integer,JSONPath=`.spec.depth`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Title",type=string,priority=1,JSONPath=`.spec.title`
// +kubebuilder:printcolumn:name="Sign-off",type=string,priority=1,JSONPath=`.spec.signOff.date`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type OwnerProgram struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is the programme that operations want.
	//
	// +required
	Spec OwnerProgramSpec `json:"spec"`

	// Status is what has become of it. The operator writes it.
	//
	// +optional
	Status OwnerProgramStatus `json:"status,omitzero"`
}

// OwnerProgramList is a list of programmes.
//
// +kubebuilder:object:root=true
type OwnerProgramList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []OwnerProgram `json:"items"`
}

// OwnerProgramStatus is what the operator says of a programme.
type OwnerProgramStatus struct {
	// ObservedGeneration is the metadata.generation that this status answers.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// Revision is the generation of the record in programs.v1. It grows with each
	// record.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	Revision int64 `json:"revision,omitempty"`

	// PublishedAt is when the operator last told the services what is wanted.
	//
	// +optional
	PublishedAt *metav1.Time `json:"publishedAt,omitempty"`

	// Conditions say what is true of the programme: Published, and Ready, which
	// has its reason.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=8
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// ProgramFinalizer keeps a deleted OwnerProgram until its end stands in
// programs.v1.
const ProgramFinalizer = "sale.qingcang.io/program"
