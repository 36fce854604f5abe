package controller

import (
	"context"
	"encoding/json"
	"slices"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Patches name the version that they were made from, and the API server refuses them where that is no longer
// the newest: a status made of an older one would take back what the other operator has shown, and a list of
// finalizers, which is replaced as a whole, would lose another controller's. They are made without the spec,
// which may be a thousand items: to compare it with itself took half of all that the operator allocated.

// patchOf is what changed in a status since a copy was read.
func patchOf(before client.Object) client.Patch {
	return client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
}

// addFinalizer and dropFinalizer change the list of finalizers.
func addFinalizer(ctx context.Context, to client.Client, object client.Object, name string) error {
	return patchFinalizers(ctx, to, object, append(object.GetFinalizers(), name))
}

func dropFinalizer(ctx context.Context, to client.Client, object client.Object, name string) error {
	return patchFinalizers(ctx, to, object, slices.DeleteFunc(slices.Clone(object.GetFinalizers()), func(f string) bool { return f == name }))
}

func patchFinalizers(ctx context.Context, to client.Client, object client.Object, names []string) error {
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"resourceVersion": object.GetResourceVersion(), "finalizers": names},
	})
	if err != nil {
		return err // cannot be: they are strings
	}
	return to.Patch(ctx, object, client.RawPatch(types.MergePatchType, patch))
}
