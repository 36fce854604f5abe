package controller

import (
	"context"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/metrics"
	"github.com/qingcang/qingcang/operators/campaign/internal/program"
	"github.com/qingcang/qingcang/operators/campaign/internal/stock"
)

// censusEvery is how old the counts of objects may be: Prometheus looks as seldom.
const censusEvery = 15 * time.Second

// census counts the objects by what they show.
type census struct {
	cache     client.Reader
	stock     *stock.Mirror
	namespace string
}

// NeedLeaderElection keeps objects from being counted twice.
func (c *census) NeedLeaderElection() bool { return true }

// Start counts until ctx ends.
func (c *census) Start(ctx context.Context) error {
	ticker := time.NewTicker(censusEvery)
	defer ticker.Stop()
	for {
		c.count(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// count keeps the last counts where the cache cannot be read.
func (c *census) count(ctx context.Context) {
	in := []client.ListOption{client.InNamespace(c.namespace), client.UnsafeDisableDeepCopy}
	var campaigns v1alpha1.CampaignList
	if err := c.cache.List(ctx, &campaigns, in...); err == nil {
		counts := metrics.Campaigns.Begin()
		for i := range campaigns.Items {
			s := &campaigns.Items[i].Status
			r := ready(s)
			counts.Add(string(s.Phase), r.Status, r.Reason)
		}
		counts.Set()
	}
	var programs v1alpha1.OwnerProgramList
	if err := c.cache.List(ctx, &programs, in...); err == nil {
		counts := metrics.Programs.Begin()
		for i := range programs.Items {
			status, reason := program.Ready(&programs.Items[i])
			counts.Add(status, reason)
		}
		counts.Set()
	}
	metrics.StockSKUs.Set(float64(c.stock.SKUs()))
}
