package systems

import (
	"context"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
)

const (
	desiredTopic = "campaigns.v1"
	laneStatus   = "campaign-status.v1"
	// answersAtOnce bounds the statuses that are being written.
	answersAtOnce = 16
)

// standIn answers desired states as stock pool and lane would, until the operator retires.
func (o *Operator) standIn(ctx context.Context) {
	ctx, o.stop = context.WithCancel(context.WithoutCancel(ctx))
	o.stopped = make(chan error, 1)
	go func() {
		var offset atomic.Int64
		group, answering := errgroup.WithContext(ctx)
		group.SetLimit(answersAtOnce)
		err := o.conn.Table(answering, desiredTopic, func(uid string, value []byte) error {
			d := &campaignv1.Desired{}
			if err := proto.Unmarshal(value, d); err != nil {
				return fmt.Errorf("decode the desired state of %s: %w", uid, err)
			}
			if d.GetClosed() {
				return nil
			}
			group.Go(func() error {
				return o.conn.Put(answering, laneStatus, uid, waitingStatus(d, offset.Add(1)))
			})
			return nil
		}, func() {})
		if wait := group.Wait(); err == nil {
			err = wait
		}
		if ctx.Err() != nil {
			err = nil // it was asked to stop
		}
		o.stopped <- err
	}()
}

// waitingStatus is of a campaign that has its stock and waits for its start.
func waitingStatus(d *campaignv1.Desired, offset int64) *campaignv1.Status {
	status := &campaignv1.Status{
		Uid: d.GetUid(), Generation: d.GetGeneration(), Phase: campaignv1.Status_PHASE_WAITING, Offset: offset,
		Allocation: &campaignv1.Allocation{Generation: d.GetGeneration(), State: campaignv1.Allocation_STATE_ALLOCATED},
	}
	for _, item := range d.GetItems() {
		status.Items = append(status.Items, &campaignv1.ItemStatus{Sku: item.GetSku(), Units: item.GetUnits()})
		status.Units += item.GetUnits()
		status.LeftUnits += item.GetUnits()
	}
	return status
}
