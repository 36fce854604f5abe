package v1alpha1_test

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/qingcang/qingcang/operators/campaign/internal/teststack"
)

// TestWhatASelectorCameToSurvivesTheNextApply: the manifest of a person who writes a selector never has
// items, and applying it again must not take them out; taking them out by hand must.
func TestWhatASelectorCameToSurvivesTheNextApply(t *testing.T) {
	stack := teststack.New(t)
	apply := func(manager string, object *unstructured.Unstructured) {
		t.Helper()
		configuration := client.ApplyConfigurationFromUnstructured(object.DeepCopy())
		if err := stack.Client.Apply(t.Context(), configuration, client.FieldOwner(manager)); err != nil {
			t.Fatal(err)
		}
	}
	wantItems := func(want int) {
		t.Helper()
		now := manifest(t, stack.Namespace, goodCampaign)
		if err := stack.Client.Get(t.Context(), types.NamespacedName{Namespace: stack.Namespace, Name: "coats"}, now); err != nil {
			t.Fatal(err)
		}
		if some, _, _ := unstructured.NestedSlice(now.Object, "spec", "items"); len(some) != want {
			t.Errorf("%d items, want %d", len(some), want)
		}
	}

	written := manifest(t, stack.Namespace, goodCampaign, selects())
	written.SetName("coats")
	written.SetGenerateName("")
	apply("kubectl", written)

	resolved := &unstructured.Unstructured{}
	resolved.SetGroupVersionKind(written.GroupVersionKind())
	resolved.SetNamespace(stack.Namespace)
	resolved.SetName("coats")
	set(list(item("C1", 6_000, 4_000, 10), item("C2", 6_000, 4_000, 10)), "spec", "items")(resolved.Object)
	apply("campaign-operator-items", resolved)
	wantItems(2)

	set("Winter coats", "spec", "title")(written.Object)
	apply("kubectl", written)
	wantItems(2)

	takeOut := client.RawPatch(types.JSONPatchType, []byte(`[{"op":"remove","path":"/spec/items"}]`))
	if err := stack.Client.Patch(t.Context(), written, takeOut); err != nil {
		t.Fatal(err)
	}
	wantItems(0)
}
