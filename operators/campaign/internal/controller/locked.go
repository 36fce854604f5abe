package controller

import (
	"context"
	"encoding/json"
	"slices"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

// Patches name the version that they were made from, and the API server refuses them where that is no longer
// the newest: a status made of an older one would take back what the other operator has shown, and a list of
// finalizers, which is replaced as a whole, would lose another controller's. They are made without the spec,
// which may be a thousand items: to compare it with itself took a third of all that the operator allocated.

// patchOf is what changed in a status since a copy was read.
func patchOf(before client.Object) client.Patch {
	return client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
}

// hold adds a finalizer and, where one is given, the note of a lane.
func hold(ctx context.Context, to client.Client, object client.Object, finalizer, note string) error {
	names := object.GetFinalizers()
	if !slices.Contains(names, finalizer) {
		names = append(names, finalizer)
	}
	metadata := map[string]any{"finalizers": names}
	if note != "" {
		metadata["annotations"] = map[string]string{v1alpha1.LaneAnnotation: note}
	}
	return patchMetadata(ctx, to, object, metadata)
}

func dropFinalizer(ctx context.Context, to client.Client, object client.Object, name string) error {
	names := slices.DeleteFunc(slices.Clone(object.GetFinalizers()), func(f string) bool { return f == name })
	return patchMetadata(ctx, to, object, map[string]any{"finalizers": names})
}

func patchMetadata(ctx context.Context, to client.Client, object client.Object, metadata map[string]any) error {
	metadata["resourceVersion"] = object.GetResourceVersion()
	patch, err := json.Marshal(map[string]any{"metadata": metadata})
	if err != nil {
		return err // cannot be: they are strings
	}
	return to.Patch(ctx, object, client.RawPatch(types.MergePatchType, patch))
}
