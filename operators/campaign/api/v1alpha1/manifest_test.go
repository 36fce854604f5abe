package v1alpha1_test

import (
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/qingcang/qingcang/operators/campaign/internal/teststack"
)

const goodCampaign = `
apiVersion: sale.qingcang.io/v1alpha1
kind: Campaign
metadata: {name: coats}
spec:
  brandId: brand_01k9z3w5n8e7s9v0q2c4x6b8da
  title: Autumn coats
  commissionBps: 1000
  previewAt: "2026-11-24T02:00:00Z"
  startAt: "2026-11-24T12:00:00+08:00"
  endAt: "2026-11-24T14:00:00+08:00"
  items:
  - {sku: C1, priceFen: 6000, settlementFen: 4000, units: 10}
`

const goodProgram = `
apiVersion: sale.qingcang.io/v1alpha1
kind: OwnerProgram
metadata: {name: standard}
spec:
  title: Store owner
  ranks:
  - {name: member, rateBps: 7000}
  - {name: mentor, minOwnSalesFen: 5000000, minServiceScoreTenths: 45, rateBps: 9000}
`

// change is an edit of a manifest's spec.
type change func(spec map[string]any)

func as(changes ...change) change {
	return func(spec map[string]any) {
		for _, c := range changes {
			c(spec)
		}
	}
}

func set(value any, path ...string) change {
	return func(spec map[string]any) {
		if err := unstructured.SetNestedField(spec, value, path...); err != nil {
			panic(err)
		}
	}
}

func drop(path ...string) change {
	return func(spec map[string]any) { unstructured.RemoveNestedField(spec, path...) }
}

// list is what SetNestedField takes as a list.
func list[T any](values ...T) []any {
	all := make([]any, len(values))
	for i, v := range values {
		all[i] = v
	}
	return all
}

// numbered is n different texts.
func numbered(n int) []any {
	all := make([]any, n)
	for i := range all {
		all[i] = fmt.Sprintf("S-%04d", i)
	}
	return all
}

func items(some ...map[string]any) change { return set(list(some...), "items") }

func item(sku string, priceFen, settlementFen, units int64) map[string]any {
	return map[string]any{"sku": sku, "priceFen": priceFen, "settlementFen": settlementFen, "units": units}
}

// itemWithout is an item that lacks a field.
func itemWithout(field string) change {
	one := item("C1", 6_000, 4_000, 10)
	delete(one, field)
	return items(one)
}

func manyItems(n int) change {
	some := make([]map[string]any, n)
	for i := range some {
		some[i] = item(fmt.Sprintf("6901234%06d", i), 6_000, 4_000, 10)
	}
	return items(some...)
}

func passOver(offsets ...int64) change { return set(list(offsets...), "lane", "skipOffsets") }

// selects puts a selector in the place of the items.
func selects(edits ...change) change {
	return func(spec map[string]any) {
		selector := map[string]any{
			"styles": list("PB-2291"),
			"price":  map[string]any{"tagBps": int64(3_000)},
		}
		as(edits...)(selector)
		delete(spec, "items")
		spec["selector"] = selector
	}
}

// dedicated gives the campaign a lane of its own.
func dedicated(edits ...change) change {
	return func(spec map[string]any) {
		lane := map[string]any{
			"replicas":    map[string]any{"before": int64(1), "during": int64(3), "after": int64(0)},
			"maxReplicas": int64(6),
		}
		as(edits...)(lane)
		set(lane, "lane", "dedicated")(spec)
	}
}

// ranks replaces a programme's.
func ranks(some ...map[string]any) change { return set(list(some...), "ranks") }

// rank is one with a rate of 70% and what is changed of it.
func rank(name string, edits ...change) map[string]any {
	one := map[string]any{"name": name, "rateBps": int64(7_000)}
	as(edits...)(one)
	return one
}

func manyRanks(n int) change {
	some := make([]map[string]any, n)
	for i := range some {
		some[i] = rank(fmt.Sprintf("r%d", i), set(int64(i), "minOwnSalesFen"))
	}
	return ranks(some...)
}

// reward asks for one that a programme cannot have.
func reward(edits ...change) change {
	one := map[string]any{"for": "Recruit", "count": int64(90), "payFen": int64(50_000), "every": "Month"}
	as(edits...)(one)
	return set(list(one), "rewards")
}

func manyRewards(n int) change {
	some := make([]any, n)
	for i := range some {
		some[i] = map[string]any{"for": "Sale"}
	}
	return set(some, "rewards")
}

// signed makes a programme one of depth 2 with a sign-off.
func signed(edits ...change) change {
	return func(spec map[string]any) {
		signOff := map[string]any{
			"by": "Legal department", "reference": "LEG-2026-0417", "date": "2026-10-12",
			"documentSHA256": strings.Repeat("0a", 32),
		}
		as(edits...)(signOff)
		spec["depth"], spec["signOff"] = int64(2), signOff
	}
}

// manifest is a good one with what is changed of it.
func manifest(t *testing.T, namespace, good string, changes ...change) *unstructured.Unstructured {
	t.Helper()
	object := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(good), object); err != nil {
		t.Fatal(err)
	}
	object.SetNamespace(namespace)
	object.SetGenerateName(object.GetName() + "-")
	object.SetName("")
	as(changes...)(object.Object["spec"].(map[string]any))
	return object
}

// refused is a manifest that the API server refuses with these words.
type refused struct {
	change change
	want   string
}

// wantRefused asks the API server about each of a table.
func wantRefused(t *testing.T, good string, table map[string]refused) {
	t.Helper()
	stack := teststack.New(t)
	for name, tc := range table {
		t.Run(name, func(t *testing.T) {
			err := stack.Client.Create(t.Context(), manifest(t, stack.Namespace, good, tc.change), client.DryRunAll)
			wantAnswer(t, err, tc.want)
		})
	}
}

// wantTaken asks the API server about each of a table.
func wantTaken(t *testing.T, good string, table map[string]change) {
	t.Helper()
	stack := teststack.New(t)
	for name, c := range table {
		t.Run(name, func(t *testing.T) {
			err := stack.Client.Create(t.Context(), manifest(t, stack.Namespace, good, c), client.DryRunAll)
			wantAnswer(t, err, "")
		})
	}
}

// wantAnswer compares what the API server said; want is empty where it takes the object.
func wantAnswer(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("it was refused: %v", err)
	case want != "" && err == nil:
		t.Errorf("it was taken, want it refused with\n  %s", want)
	case want != "" && !strings.Contains(err.Error(), want):
		t.Errorf("it was refused with\n  %v\nwant\n  %s", err, want)
	}
}
