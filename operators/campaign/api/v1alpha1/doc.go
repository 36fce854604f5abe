// Package v1alpha1 is the Campaign and the OwnerProgram: what operations write to run sales, and what the
// operator tells them of it. Its field comments are the manual that `kubectl explain` prints.
//
// +kubebuilder:object:generate=true
// +groupName=sale.qingcang.io
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion names this API: sale.qingcang.io/v1alpha1.
var GroupVersion = schema.GroupVersion{Group: "sale.qingcang.io", Version: "v1alpha1"}

// AddToScheme teaches a scheme the kinds of this package.
func AddToScheme(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(GroupVersion, &Campaign{}, &CampaignList{}, &OwnerProgram{}, &OwnerProgramList{})
	metav1.AddToGroupVersion(scheme, GroupVersion)
	return nil
}
