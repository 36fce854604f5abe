package controller

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/campaign"
	"github.com/qingcang/qingcang/operators/campaign/internal/mirror"
)

// resync ends campaigns whose object is gone without its finalizer having run: somebody removed the
// finalizer by hand, or the cluster was restored from a backup.
type resync struct {
	cache     client.Reader
	live      client.Reader
	mirror    *mirror.Mirror
	cluster   string
	namespace string
	every     time.Duration
}

// NeedLeaderElection keeps it to the operator that also reconciles.
func (r *resync) NeedLeaderElection() bool { return true }

// Start looks at once and then after every pause, until ctx ends.
func (r *resync) Start(ctx context.Context) error {
	if err := r.mirror.WaitReady(ctx); err != nil {
		return nil // ctx is over
	}
	ticker := time.NewTicker(r.every)
	defer ticker.Stop()
	for {
		if err := r.once(ctx); err != nil && ctx.Err() == nil {
			log.FromContext(ctx).Error(err, "resync failed, it is tried again", "after", r.every)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// once publishes the end of every orphan.
func (r *resync) once(ctx context.Context) error {
	var list v1alpha1.CampaignList
	// Only uids are read, so the cache's own objects will do: copies of all would be garbage each time.
	if err := r.cache.List(ctx, &list, client.InNamespace(r.namespace), client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("list campaigns: %w", err)
	}
	known := make(map[types.UID]bool, len(list.Items))
	for _, c := range list.Items {
		known[c.UID] = true
	}
	var records []*campaignv1.Desired
	r.mirror.Each(func(d *campaignv1.Desired, _ *campaignv1.Status) { records = append(records, d) })
	lives := func(uid string) bool { return known[types.UID(uid)] }
	for _, end := range campaign.Orphans(records, r.cluster, r.namespace, lives) {
		if err := r.end(ctx, end); err != nil {
			return err
		}
	}
	return nil
}

// end publishes the end of a campaign after the API server itself has said that its object is gone:
// a cache may lag, and an end cannot be taken back.
func (r *resync) end(ctx context.Context, end *campaignv1.Desired) error {
	c := &v1alpha1.Campaign{}
	err := r.live.Get(ctx, client.ObjectKey{Namespace: end.GetNamespace(), Name: end.GetName()}, c)
	switch {
	case err == nil && string(c.UID) == end.GetUid():
		return nil
	case err != nil && !apierrors.IsNotFound(err):
		return fmt.Errorf("look for campaign %s: %w", end.GetName(), err)
	}
	if err := r.mirror.Publish(ctx, end); err != nil {
		return fmt.Errorf("end the orphan %s: %w", end.GetName(), err)
	}
	orphansEnded.Inc()
	log.FromContext(ctx).Info("ended a campaign whose object is gone", "campaign", end.GetName(), "uid", end.GetUid())
	return nil
}
