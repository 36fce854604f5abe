//go:build !mutant_rule_left_out

package simulate_test

import (
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/teststack"
)

// admission is the kind as which programmes are tried: the one whose rules are committed. It stands apart so that a
// build with the tag mutant_rule_left_out can get them wrong.
func admission(*testing.T, *teststack.Stack) schema.GroupVersionKind {
	return v1alpha1.GroupVersion.WithKind("OwnerProgram")
}
