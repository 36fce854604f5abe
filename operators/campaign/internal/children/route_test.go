package children

import (
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

func TestARouteLeadsToPodsThatAnswer(t *testing.T) {
	campaign := &v1alpha1.Campaign{ObjectMeta: metav1.ObjectMeta{Name: "autumn", Namespace: "sale", UID: "8c0c2f1e-7b7e-4a63-9f0e-0e6f2b8e2d11"}}
	settings := Settings{OrderDeployment: "qingcang-order", Gateway: &types.NamespacedName{Namespace: "edge", Name: "front"}}
	for name, test := range map[string]struct {
		ready int32
		want  string
	}{
		"to the campaign's own while one is ready": {1, Name(campaign)},
		"to the shared pool while there is none":   {0, "qingcang-order"},
	} {
		t.Run(name, func(t *testing.T) {
			made, err := route(settings, Lane{Campaign: campaign, Ready: test.ready})
			if err != nil {
				t.Fatal(err)
			}
			rules, _, err := unstructured.NestedSlice(made.(*unstructured.Unstructured).Object, "spec", "rules")
			if err != nil {
				t.Fatal(err)
			}
			backend := rules[0].(object)["backendRefs"].([]any)[0].(object)["name"]
			if backend != test.want {
				t.Errorf("orders go to %v, want %s", backend, test.want)
			}
		})
	}
}

func TestARouteIsForTheHostOfTheSharedPoolsRoute(t *testing.T) {
	campaign := &v1alpha1.Campaign{ObjectMeta: metav1.ObjectMeta{Name: "autumn", Namespace: "sale", UID: "8c0c2f1e-7b7e-4a63-9f0e-0e6f2b8e2d11"}}
	for name, test := range map[string]struct {
		host string
		want []string
	}{
		"a host is named":     {"order.sale.example.com", []string{"order.sale.example.com"}},
		"none is any of them": {"", nil},
	} {
		t.Run(name, func(t *testing.T) {
			made, err := route(Settings{Gateway: &types.NamespacedName{Namespace: "edge", Name: "front"}, GatewayHost: test.host}, Lane{Campaign: campaign})
			if err != nil {
				t.Fatal(err)
			}
			got, _, err := unstructured.NestedStringSlice(made.(*unstructured.Unstructured).Object, "spec", "hostnames")
			if err != nil || !slices.Equal(got, test.want) {
				t.Errorf("got %v %v, want %v", got, err, test.want)
			}
		})
	}
}
