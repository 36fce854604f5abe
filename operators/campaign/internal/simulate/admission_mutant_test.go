//go:build mutant_rule_left_out

package simulate_test

import (
	"context"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/qingcang/qingcang/operators/campaign/internal/teststack"
)

// admission is a kind with all rules but that of the depth, on purpose: see admission_test.go. It has a group of its own,
// because other tests of the same API server rely on the committed one.
func admission(t *testing.T, stack *teststack.Stack) schema.GroupVersionKind {
	t.Helper()
	var committed apiextensionsv1.CustomResourceDefinition
	if err := stack.Client.Get(t.Context(), client.ObjectKey{Name: "ownerprograms.sale.qingcang.io"}, &committed); err != nil {
		t.Fatal(err)
	}
	group := stack.Namespace + ".qingcang.io"
	planted := &apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: "ownerprograms." + group}, Spec: committed.Spec}
	planted.Spec.Group = group
	spec := planted.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
	depth := spec.Properties["depth"]
	depth.XValidations = nil
	spec.Properties["depth"] = depth
	if err := stack.Client.Create(t.Context(), planted); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stack.Client.Delete(context.WithoutCancel(t.Context()), planted); err != nil {
			t.Error(err)
		}
	})
	gvk := schema.GroupVersionKind{Group: group, Version: planted.Spec.Versions[0].Name, Kind: "OwnerProgram"}
	teststack.Eventually(t, func() error { return try(t.Context(), stack, gvk, program(t, nil)) })
	return gvk
}
