package controller

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/campaign"
	"github.com/qingcang/qingcang/operators/campaign/internal/metrics"
	"github.com/qingcang/qingcang/operators/campaign/internal/mirror"
	"github.com/qingcang/qingcang/operators/campaign/internal/program"
)

// resync ends records whose object is gone without its finalizer having run: somebody removed the
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
	var campaigns v1alpha1.CampaignList
	known, err := r.uids(ctx, &campaigns)
	if err != nil {
		return err
	}
	if err := endOrphans(ctx, r, r.mirror.Campaigns, known, &v1alpha1.Campaign{}, campaign.Closing); err != nil {
		return err
	}
	var programs v1alpha1.OwnerProgramList
	if known, err = r.uids(ctx, &programs); err != nil {
		return err
	}
	return endOrphans(ctx, r, r.mirror.Programs, known, &v1alpha1.OwnerProgram{}, program.Closing)
}

// uids lists the objects of a kind.
func (r *resync) uids(ctx context.Context, list client.ObjectList) (map[string]bool, error) {
	// Only uids are read, so the cache's own objects will do: copies of all would be garbage each time.
	if err := r.cache.List(ctx, list, client.InNamespace(r.namespace), client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list what is there: %w", err)
	}
	known := map[string]bool{}
	err := meta.EachListItem(list, func(object runtime.Object) error {
		one, err := meta.Accessor(object)
		if err == nil {
			known[string(one.GetUID())] = true
		}
		return err
	})
	return known, err
}

// endOrphans publishes the end of each record whose object is not known; object is an empty one of its kind.
func endOrphans[D mirror.Record](
	ctx context.Context, r *resync, records *mirror.Records[D], known map[string]bool, object client.Object, closing func(D, int64) D,
) error {
	lives := func(uid string) bool { return known[uid] }
	for _, orphan := range campaign.Orphans(records.Outlines(), r.cluster, r.namespace, lives) {
		whole, _ := records.Of(orphan.GetUid())
		if whole.GetClosed() {
			continue // meanwhile
		}
		gone, err := r.gone(ctx, object, whole)
		if err != nil {
			return err
		}
		if !gone {
			continue
		}
		newest, _ := records.Newest(orphan.GetUid())
		if err := records.Publish(ctx, closing(whole, newest.GetGeneration())); err != nil {
			return fmt.Errorf("end the orphan %s: %w", orphan.GetName(), err)
		}
		metrics.OrphansEnded.WithLabelValues(records.Topic()).Inc()
		log.FromContext(ctx).Info("ended what has no object any more", "topic", records.Topic(), "name", orphan.GetName(), "uid", orphan.GetUid())
	}
	return nil
}

// gone asks the API server itself whether the object of a record is gone: a cache may lag, and an end
// cannot be taken back.
func (r *resync) gone(ctx context.Context, object client.Object, record mirror.Record) (bool, error) {
	err := r.live.Get(ctx, client.ObjectKey{Namespace: record.GetNamespace(), Name: record.GetName()}, object)
	switch {
	case err == nil:
		return string(object.GetUID()) != record.GetUid(), nil
	case apierrors.IsNotFound(err):
		return true, nil
	default:
		return false, fmt.Errorf("look for %s: %w", record.GetName(), err)
	}
}
