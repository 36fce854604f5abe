package controller

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	toolscache "k8s.io/client-go/tools/cache"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/qingcang/qingcang/operators/campaign/internal/children"
)

// Outline takes out of cached objects what nothing is planned from: who manages which field, the manifest
// that kubectl notes, which is as long as the object itself, and, of objects that are neither a campaign's
// children nor the order service's Deployment, all but their names.
func Outline(orderDeployment string) toolscache.TransformFunc {
	return func(object any) (any, error) {
		o, ok := object.(metav1.Object)
		if !ok {
			return object, nil
		}
		o.SetManagedFields(nil)
		if notes := o.GetAnnotations(); notes[lastApplied] != "" {
			delete(notes, lastApplied)
			o.SetAnnotations(notes)
		}
		if u, ok := object.(*unstructured.Unstructured); ok && !planned(u, orderDeployment) {
			delete(u.Object, "spec")
			delete(u.Object, "status")
		}
		return object, nil
	}
}

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

func planned(u *unstructured.Unstructured, orderDeployment string) bool {
	return u.GetLabels()[children.UIDLabel] != "" || u.GetKind() == children.Deployment.Kind && u.GetName() == orderDeployment
}
