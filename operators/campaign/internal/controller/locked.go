package controller

import "sigs.k8s.io/controller-runtime/pkg/client"

// patchOf is what changed since a copy was read. The optimistic lock refuses it where the copy is no longer
// the newest: a status made of an older one would take back what the other operator has shown, and a list
// of finalizers, which is replaced as a whole, would lose another controller's.
func patchOf(before client.Object) client.Patch {
	return client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
}
