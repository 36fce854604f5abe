// Package campaigns runs Campaign objects with kubectl, as operations do.
package campaigns

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Kubectl runs kubectl with something on its standard input.
type Kubectl func(ctx context.Context, stdin string, args ...string) (string, error)

// Desk is where operations sit: kubectl and a namespace.
type Desk struct {
	Kubectl   Kubectl
	Namespace string
}

// Campaign is what a manifest says.
type Campaign struct {
	Name, BrandID, Title  string
	Items                 []Item
	CommissionBps         int
	PreviewAt, Start, End time.Time
	BuyerLimitUnits       int
	// HoldLimitUnits caps what a buyer holds unpaid; 0 is no limit, nil leaves it to the default.
	HoldLimitUnits     *int
	Hold               time.Duration
	ReturnWindow       time.Duration
	ReturnsFromSigning bool
	// Dedicated gives the campaign a lane of its own.
	Dedicated *Dedicated
}

// Dedicated is how many pods a campaign's own lane has.
type Dedicated struct{ Before, During, After, Max int }

// Item is one SKU of a campaign.
type Item struct {
	SKU           string `json:"sku"`
	PriceFen      int64  `json:"priceFen"`
	SettlementFen int64  `json:"settlementFen"`
	Units         int64  `json:"units"`
}

// Status is what the operator says of a campaign.
type Status struct {
	UID        string
	Phase      string
	Generation int64
	Observed   int64
	Ready      Condition
	Units      int64
	Sold       int64
	Left       int64
}

// Condition is one condition of a status.
type Condition struct{ Status, Reason, Message string }

// Manifest is the campaign as a Kubernetes object in JSON, which kubectl takes as it takes YAML.
func (d Desk) Manifest(c Campaign) (string, error) {
	spec := map[string]any{
		"brandId": c.BrandID, "title": c.Title, "items": c.Items, "commissionBps": c.CommissionBps,
		"startAt": stamp(c.Start), "endAt": stamp(c.End),
	}
	if !c.PreviewAt.IsZero() {
		spec["previewAt"] = stamp(c.PreviewAt)
	}
	if c.BuyerLimitUnits > 0 {
		spec["buyerLimitUnits"] = c.BuyerLimitUnits
	}
	if c.HoldLimitUnits != nil {
		spec["holdLimitUnits"] = *c.HoldLimitUnits
	}
	if c.Hold > 0 {
		spec["hold"] = c.Hold.String()
	}
	if c.ReturnWindow > 0 {
		window := map[string]any{"duration": c.ReturnWindow.String()}
		if c.ReturnsFromSigning {
			window["from"] = "Signing"
		}
		spec["returnWindow"] = window
	}
	if d := c.Dedicated; d != nil {
		replicas := map[string]any{"before": d.Before, "during": d.During, "after": d.After}
		spec["lane"] = map[string]any{"dedicated": map[string]any{"replicas": replicas, "maxReplicas": d.Max}}
	}
	data, err := json.Marshal(map[string]any{
		"apiVersion": "sale.qingcang.io/v1alpha1", "kind": "Campaign",
		"metadata": map[string]any{"name": c.Name, "namespace": d.Namespace}, "spec": spec,
	})
	if err != nil {
		return "", fmt.Errorf("write the manifest of %s: %w", c.Name, err)
	}
	return string(data), nil
}

// stamp writes a time as campaigns have it: whole seconds.
func stamp(t time.Time) string { return t.UTC().Truncate(time.Second).Format(time.RFC3339) }

// Apply applies campaigns in one go.
func (d Desk) Apply(ctx context.Context, all ...Campaign) error {
	var manifests strings.Builder
	for _, c := range all {
		manifest, err := d.Manifest(c)
		if err != nil {
			return err
		}
		manifests.WriteString("---\n" + manifest + "\n")
	}
	_, err := d.Kubectl(ctx, manifests.String(), "apply", "-f", "-")
	return err
}

// EndNow sets spec.endAt to now.
func (d Desk) EndNow(ctx context.Context, name string) error {
	return d.move(ctx, name, "endAt", time.Now())
}

// StartAt moves the start of a campaign that has not opened.
func (d Desk) StartAt(ctx context.Context, name string, at time.Time) error {
	return d.move(ctx, name, "startAt", at)
}

func (d Desk) move(ctx context.Context, name, field string, at time.Time) error {
	patch := fmt.Sprintf(`{"spec":{%q:%q}}`, field, stamp(at))
	_, err := d.Kubectl(ctx, "", "--namespace", d.Namespace, "patch", "campaign", name, "--type=merge", "-p", patch)
	return err
}

// Get reads the campaigns named, or every campaign of the namespace.
func (d Desk) Get(ctx context.Context, names ...string) (map[string]Status, error) {
	if len(names) == 1 { // kubectl writes one object alone, not as a list; a name twice is a list
		names = append(names, names[0])
	}
	out, err := d.Kubectl(ctx, "", append([]string{"--namespace", d.Namespace, "get", "campaigns", "-o", "json"}, names...)...)
	if err != nil {
		return nil, err
	}
	var list struct {
		Items []struct {
			Metadata struct {
				Name, UID  string
				Generation int64
			}
			Status struct {
				Phase                       string
				ObservedGeneration          int64
				Units, SoldUnits, LeftUnits int64
				Conditions                  []struct{ Type, Status, Reason, Message string }
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		return nil, fmt.Errorf("read the campaigns: %w", err)
	}
	all := map[string]Status{}
	for _, i := range list.Items {
		s := Status{
			UID: i.Metadata.UID, Phase: i.Status.Phase, Generation: i.Metadata.Generation, Observed: i.Status.ObservedGeneration,
			Units: i.Status.Units, Sold: i.Status.SoldUnits, Left: i.Status.LeftUnits,
		}
		for _, c := range i.Status.Conditions {
			if c.Type == "Ready" {
				s.Ready = Condition{c.Status, c.Reason, c.Message}
			}
		}
		all[i.Metadata.Name] = s
	}
	return all, nil
}

// Await polls until done is content with every campaign named, or ctx ends.
func (d Desk) Await(ctx context.Context, what string, names []string, done func(Status) bool) (map[string]Status, error) {
	// Each look starts a kubectl and reads whole specs.
	const firstPause, lastPause = 200 * time.Millisecond, 600 * time.Millisecond
	for pause := firstPause; ; pause = min(pause+pause/2, lastPause) {
		all, err := d.Get(ctx, names...)
		if err == nil {
			waiting := ""
			for _, name := range names {
				if s, ok := all[name]; !ok || !done(s) {
					waiting = fmt.Sprintf("%s is %+v", name, s)
					break
				}
			}
			if waiting == "" {
				return all, nil
			}
			err = fmt.Errorf("%s", waiting)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for campaigns to be %s: %w: %w", what, ctx.Err(), err)
		case <-time.After(pause):
		}
	}
}

// InPhase is content with a campaign in one of the phases whose newest spec is answered.
func InPhase(phases ...string) func(Status) bool {
	return func(s Status) bool {
		for _, p := range phases {
			if s.Phase == p && s.Observed == s.Generation {
				return true
			}
		}
		return false
	}
}
