package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// rawPrefix begins the names of those that are made without an operator.
const rawPrefix = "raw"

// finalizer is the operator's, so that both kinds of objects are equal.
const finalizer = "sale.qingcang.io/campaign"

// manifest is a campaign that opens tomorrow.
func (b batch) manifest(name string) *unstructured.Unstructured {
	items := make([]any, b.items)
	for i := range items {
		items[i] = map[string]any{
			"sku": fmt.Sprintf("69%011d", i), "priceFen": int64(9_900), "settlementFen": int64(4_950), "units": int64(100),
		}
	}
	tomorrow := time.Now().UTC().Truncate(time.Second).Add(24 * time.Hour)
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": campaigns.Group + "/" + campaigns.Version, "kind": "Campaign",
		"metadata": map[string]any{"name": name},
		"spec": map[string]any{
			"brandId": "brand_01jz6j8f4tfk2b6a1n8x9q7r5m", "title": "Campaign " + name, "commissionBps": int64(1_000),
			"startAt": tomorrow.Format(time.RFC3339), "endAt": tomorrow.Add(2 * time.Hour).Format(time.RFC3339), "items": items,
		},
	}}
}

func isReady(object *unstructured.Unstructured) bool {
	conditions, _, err := unstructured.NestedSlice(object.Object, "status", "conditions")
	if err != nil {
		return false
	}
	for _, c := range conditions {
		if is, ok := c.(map[string]any); ok && is["type"] == "Ready" {
			return is["status"] == "True"
		}
	}
	return false
}

// raw makes the objects by the writes that the operator makes: the object, its finalizer, the status of
// what waits for an answer, and that of what is Ready. It leaves out the event by which people are told.
func (b batch) raw(ctx context.Context) error {
	return b.each(ctx, func(ctx context.Context, name string) error {
		made, err := b.create(ctx, name)
		if err != nil {
			return err
		}
		if err := b.setFinalizers(ctx, name, finalizer); err != nil {
			return err
		}
		for _, status := range []map[string]any{pendingStatus(made), readyStatus(made)} {
			if err := b.patch(ctx, name, map[string]any{"status": status}, "status"); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b batch) setFinalizers(ctx context.Context, name string, all ...string) error {
	return b.patch(ctx, name, map[string]any{"metadata": map[string]any{"finalizers": all}})
}

func (b batch) patch(ctx context.Context, name string, change map[string]any, subresource ...string) error {
	data, err := json.Marshal(change)
	if err != nil {
		return err
	}
	_, err = b.to.Patch(ctx, name, types.MergePatchType, data, metav1.PatchOptions{}, subresource...)
	return err
}

// said is a condition's state, reason and message.
type said struct{ status, reason, message string }

// pendingStatus is the operator's of a campaign that was published and not answered.
func pendingStatus(object *unstructured.Unstructured) map[string]any {
	return status(object, map[string]said{
		"Selected": {"True", "Listed", "spec.items was written by hand"}, "Published": {"True", "Published", "the services have been told"},
		"Allocated":   {"Unknown", "Pending", "waiting for the brand's stock pool to answer"},
		"LaneRunning": {"Unknown", "Pending", "waiting for the lane to take this generation in"},
		"Scaled":      {"True", "SharedPool", "the shared pool runs this campaign"},
		"Ready":       {"False", "Pending", "waiting for the lane to take this generation in"},
	}, 0)
}

// readyStatus is the operator's of a campaign that has its stock and waits for its start.
func readyStatus(object *unstructured.Unstructured) map[string]any {
	return status(object, map[string]said{
		"Selected": {"True", "Listed", "spec.items was written by hand"}, "Published": {"True", "Published", "the services have been told"},
		"Allocated": {"True", "Allocated", "the brand's pool gave the stock"}, "LaneRunning": {"True", "Running", "the lane follows"},
		"Scaled": {"True", "SharedPool", "the shared pool runs this campaign"}, "Ready": {"True", "AsWanted", "the campaign is as its spec says"},
	}, 1_000)
}

func status(object *unstructured.Unstructured, all map[string]said, units int64) map[string]any {
	now := time.Now().UTC().Format(time.RFC3339)
	var conditions []any
	for kind, is := range all {
		conditions = append(conditions, map[string]any{
			"type": kind, "status": is.status, "reason": is.reason, "message": is.message,
			"lastTransitionTime": now, "observedGeneration": object.GetGeneration(),
		})
	}
	return map[string]any{
		"observedGeneration": object.GetGeneration(), "revision": object.GetGeneration(), "phase": "Preview", "conditions": conditions,
		"lane": map[string]any{"topic": "lanes.shared.v1", "partition": 0}, "publishedAt": now, "reportedAt": now, "laneOffset": 1,
		"units": units, "soldUnits": 0, "heldUnits": 0, "leftUnits": units, "paidOrders": 0, "finalOrders": 0,
		"startsAt": "2026-11-24 20:00:00", "endsAt": "2026-11-24 22:00:00",
	}
}
