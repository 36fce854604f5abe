package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Campaign is one sale of one brand's stock: which goods, at which price, from
// when to when. Deleting it ends the sale (spec.deletionPolicy says when);
// orders already paid are shipped, returned and settled as usual.
//
//	kubectl get campaigns             phase, times, sold and left
//	kubectl get campaigns -o wide     the reason, holds, orders, the lane
//	kubectl describe campaign NAME    each condition with what to do
//
// ---
// The rules stand here because only the whole object shows what has happened already. Those about a sale
// that has opened keep what store owners have forwarded true: a poster bears price, commission and return
// window, and nobody can call it back. The ledger itself keeps each order at the terms under which it was
// placed, so that what changes to the buyer's good is free to change.
//
// The phase says whether a sale has opened: it goes forward only, while openedAt is what the lane last said.
//
// What was asked for while the lane was being chosen may differ from the lane that came of it; that can be
// put right.
//
// The map of prices stands in a list of one, because CEL here has no other way to name a value; comparing
// each item with each other one would be over the API server's cost limit.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=campaigns,scope=Namespaced,shortName=camp,categories=qingcang
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Starts",type=string,JSONPath=`.status.startsAt`
// +kubebuilder:printcolumn:name="Ends",type=string,JSONPath=`.status.endsAt`
// +kubebuilder:printcolumn:name="Sold",type=integer,JSONPath=`.status.soldUnits`
// +kubebuilder:printcolumn:name="Left",type=integer,JSONPath=`.status.leftUnits`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Held",type=integer,priority=1,JSONPath=`.status.heldUnits`
// +kubebuilder:printcolumn:name="Paid orders",type=integer,priority=1,JSONPath=`.status.paidOrders`
// +kubebuilder:printcolumn:name="Lane",type=string,priority=1,JSONPath=`.status.lane.topic`
// +kubebuilder:printcolumn:name="Part",type=integer,priority=1,JSONPath=`.status.lane.partition`
// +kubebuilder:printcolumn:name="Pods",type=integer,priority=1,JSONPath=`.status.scale.ready`
// +kubebuilder:printcolumn:name="Zone",type=string,priority=1,JSONPath=`.spec.timeZone`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="!(oldSelf.?status.?phase.orValue('Unknown') in ['Live', 'Draining', 'AfterSale', 'Settled']) || (self.spec.startAt == oldSelf.spec.startAt && self.spec.timeZone == oldSelf.spec.timeZone)",fieldPath=".spec.startAt",message="startAt and timeZone cannot change after the sale has opened: put the old ones back, and set endAt or suspend to stop the sale"
// +kubebuilder:validation:XValidation:rule="!(oldSelf.?status.?phase.orValue('Unknown') in ['Draining', 'AfterSale', 'Settled']) || self.spec.endAt == oldSelf.spec.endAt",fieldPath=".spec.endAt",message="endAt cannot change after the sale has closed: put the old endAt back, and make another campaign to sell more"
// +kubebuilder:validation:XValidation:rule="!(oldSelf.?status.?phase.orValue('Unknown') in ['Live', 'Draining', 'AfterSale', 'Settled']) || !has(oldSelf.spec.items) || (has(self.spec.items) && [self.spec.items.transformMapEntry(n, i, {i.sku: i.priceFen})].all(prices, oldSelf.spec.items.all(i, i.sku in prices)))",fieldPath=".spec.items",message="items cannot lose a SKU after the sale has opened: put it back, with units 0 to take it off the sale"
// +kubebuilder:validation:XValidation:rule="!(oldSelf.?status.?phase.orValue('Unknown') in ['Live', 'Draining', 'AfterSale', 'Settled']) || !has(oldSelf.spec.items) || !has(self.spec.items) || [self.spec.items.transformMapEntry(n, i, {i.sku: i.priceFen})].all(prices, oldSelf.spec.items.all(i, !(i.sku in prices) || prices[i.sku] <= i.priceFen))",fieldPath=".spec.items",message="a priceFen cannot rise after the sale has opened, because posters with the price are out: put the old price back or lower it"
// +kubebuilder:validation:XValidation:rule="!(oldSelf.?status.?phase.orValue('Unknown') in ['Live', 'Draining', 'AfterSale', 'Settled']) || self.spec.commissionBps >= oldSelf.spec.commissionBps",fieldPath=".spec.commissionBps",message="commissionBps cannot fall after the sale has opened, because store owners forward goods for it: put the old rate back or raise it"
// +kubebuilder:validation:XValidation:rule="!(oldSelf.?status.?phase.orValue('Unknown') in ['Live', 'Draining', 'AfterSale', 'Settled']) || (self.spec.returnWindow.from == oldSelf.spec.returnWindow.from && duration(self.spec.returnWindow.duration) >= duration(oldSelf.spec.returnWindow.duration))",fieldPath=".spec.returnWindow",message="returnWindow cannot become shorter, nor begin elsewhere, after the sale has opened, because buyers were told: put the old one back or make it longer"
// +kubebuilder:validation:XValidation:rule="!oldSelf.?status.?lane.hasValue() || self.spec.?lane.?dedicated.hasValue() == oldSelf.spec.?lane.?dedicated.hasValue() || self.spec.?lane.?dedicated.hasValue() == (oldSelf.status.lane.topic != 'lanes.shared.v1')",fieldPath=".spec.lane",message="lane.dedicated cannot be added or taken out after the lane was chosen: put it back as it was; its replicas may change"
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
