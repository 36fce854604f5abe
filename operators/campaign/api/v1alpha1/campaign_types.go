package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Campaign is one sale of one brand's stock: which goods, at which price, from when to when. Deleting
// it ends the sale; orders already paid are shipped, returned and settled as usual.
//
// ---
// The two rules stand here because only the whole object shows what has happened already.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=campaigns,scope=Namespaced,shortName=camp,categories=qingcang
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Start",type=string,JSONPath=`.spec.startAt`
// +kubebuilder:printcolumn:name="End",type=string,JSONPath=`.spec.endAt`
// +kubebuilder:printcolumn:name="Sold",type=integer,JSONPath=`.status.soldUnits`
// +kubebuilder:printcolumn:name="Left",type=integer,JSONPath=`.status.leftUnits`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.status) || !has(oldSelf.status.openedAt) || self.spec.startAt == oldSelf.spec.startAt",message="spec.startAt cannot change after the sale has opened: put the old startAt back, and set endAt or suspend to stop the sale"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.status) || !has(oldSelf.status.closedAt) || self.spec.endAt == oldSelf.spec.endAt",message="spec.endAt cannot change after the sale has closed: put the old endAt back, and make another campaign to sell more"
type Campaign struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is the sale that operations want.
	//
	// +required
	Spec CampaignSpec `json:"spec"`

	// Status is what has become of it. The operator writes it.
	//
	// +optional
	Status CampaignStatus `json:"status,omitzero"`
}

// CampaignList is a list of campaigns.
//
// +kubebuilder:object:root=true
type CampaignList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []Campaign `json:"items"`
}
