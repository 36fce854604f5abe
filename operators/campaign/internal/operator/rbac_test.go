package operator_test

import (
	"os"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/operator"
	"github.com/qingcang/qingcang/operators/campaign/internal/teststack"
)

// TestTheCommittedRoleIsEnough runs the operator with no more than config/rbac gives it.
func TestTheCommittedRoleIsEnough(t *testing.T) {
	s := teststack.New(t).WithBroker(t)
	text, err := os.ReadFile("../../config/rbac/role.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var committed rbacv1.ClusterRole
	if err := yaml.UnmarshalStrict(text, &committed); err != nil {
		t.Fatal(err)
	}
	bound := metav1.ObjectMeta{Name: committed.Name, Namespace: s.Namespace}
	const user = "system:serviceaccount:qingcang:campaign-operator"
	// A Role with the same rules, because a ClusterRole would be shared with other tests.
	for _, object := range []client.Object{
		&rbacv1.Role{ObjectMeta: bound, Rules: committed.Rules},
		&rbacv1.RoleBinding{
			ObjectMeta: bound,
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: bound.Name},
			Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
		},
	} {
		if err := s.Client.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
	run(t, s, func(cfg *operator.Config) {
		cfg.Kubernetes = rest.CopyConfig(cfg.Kubernetes)
		cfg.Kubernetes.Impersonate = rest.ImpersonationConfig{UserName: user}
		cfg.LeaderElect = true
	})

	c := apply(t, s)
	becomes(t, s, c, v1alpha1.PhasePreview, "False", v1alpha1.ReasonPending)
	wantEvents(t, s, c, string(v1alpha1.PhasePreview))
	if err := s.Client.Delete(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	vanishes(t, s, c)
}
