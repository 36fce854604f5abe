package app

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/qingcang/qingcang/proto/lane/record"
	"github.com/qingcang/qingcang/services/internal/wechatpay"
	"github.com/qingcang/qingcang/services/order/internal/payment"
)

const (
	// workEvery is how often a shard is looked through for what is due.
	workEvery = 250 * time.Millisecond
	// workAtOnce bounds the tasks of one shard under way, those of lanes and those
	// of the provider each: money that came gets its verdict while the provider hangs.
	workAtOnce = 8
	// workTimeout bounds one task.
	workTimeout = 20 * time.Second
	// A task that did not finish its work is tried again after a pause, which
	// doubles up to the longest.
	shortestPause = 500 * time.Millisecond
	longestPause  = time.Minute
	// followPause is the longest for a refund that the provider took: a bank may
	// take days, and WeChat Pay asks to be asked ever less often.
	followPause = 30 * time.Minute
)

// pauseAfter is how long a task rests after so many tries.
func pauseAfter(task payment.Task, tries int) time.Duration {
	longest := longestPause
	if task == payment.Follow {
		longest = followPause
	}
	return min(shortestPause<<min(tries, 12), longest)
}

// Work does what the orders of a shard wait for, until ctx ends. What is due
// follows from the journal alone, so nothing is forgotten in a crash; two
// replicas that work on one shard do harmless work twice.
func (p *Payments) Work(ctx context.Context, shard int) error {
	w := &worker{payments: p, shard: shard, tries: map[string]*try{}}
	defer w.running.Wait()
	ticker := time.NewTicker(workEvery)
	defer ticker.Stop()
	for {
		w.start(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// worker remembers what is under way and what has to pause.
type worker struct {
	payments *Payments
	shard    int
	running  sync.WaitGroup

	mu    sync.Mutex
	tries map[string]*try // by the key of the work
}

// try is how one piece of work has gone so far.
type try struct {
	task     payment.Task
	underWay bool
	count    int
	next     time.Time
}

// start begins what is due, as far as there is room.
func (w *worker) start(ctx context.Context) {
	now := w.payments.now()
	var due []payment.Work
	w.payments.journal.Each(func(shard int, s *payment.Orders) {
		if shard == w.shard {
			due = s.Due(now)
		}
	})
	for _, work := range w.admit(due, now) {
		w.running.Go(func() { w.do(ctx, work) })
	}
}

// admit picks what may begin now and forgets what is not due any more.
func (w *worker) admit(due []payment.Work, now time.Time) []payment.Work {
	w.mu.Lock()
	defer w.mu.Unlock()
	tries := make(map[string]*try, len(due))
	underWay := map[bool]int{} // by whether it is the lane's
	for key, t := range w.tries {
		if t.underWay {
			underWay[t.task == payment.Pay]++
			tries[key] = t
		}
	}
	var admitted []payment.Work
	for _, work := range due {
		t := w.tries[work.Key()]
		if t == nil {
			t = &try{task: work.Task}
		}
		tries[work.Key()] = t
		ofLane := work.Task == payment.Pay
		if underWay[ofLane] == workAtOnce || t.underWay || now.Before(t.next) {
			continue
		}
		t.underWay = true
		underWay[ofLane]++
		admitted = append(admitted, work)
	}
	w.tries = tries
	return admitted
}

func (w *worker) do(ctx context.Context, work payment.Work) {
	taskCtx, cancel := context.WithTimeout(ctx, workTimeout)
	defer cancel()
	err := w.payments.work(taskCtx, work)
	if err != nil && ctx.Err() == nil {
		w.payments.log.WarnContext(ctx, "a payment's task is tried again later", "task", work.Task, "order", work.Order.ID, "refund", work.Refund.ID, "err", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	// Also after success: the answer may take a while, and asking has its price.
	t := w.tries[work.Key()]
	t.underWay = false
	t.next = w.payments.now().Add(pauseAfter(work.Task, t.count))
	t.count++
}

func (p *Payments) work(ctx context.Context, work payment.Work) error {
	switch work.Task {
	case payment.Pay:
		return p.pay(ctx, work.Order)
	case payment.Ask:
		_, err := p.ask(ctx, work.Order.ID)
		return err
	case payment.End:
		return p.end(ctx, work.Order.ID)
	case payment.Follow:
		return p.follow(ctx, work.Order.ID, work.Refund.Number())
	default:
		return p.giveBack(ctx, work.Order.ID, work.Refund)
	}
}

// pay tells the lane of a payment that it has not answered.
func (p *Payments) pay(ctx context.Context, o *payment.Order) error {
	return p.lane.Pay(ctx, o.Lane.Proto(), &record.Pay{
		OrderID: o.ID, CampaignUID: o.CampaignUID, PaymentID: payment.PaymentID(o.ID), Fen: int64(o.Receipt.Fen),
	})
}

// ask looks for money that came without a notice, and takes it in.
func (p *Payments) ask(ctx context.Context, orderID string) (wechatpay.Trade, error) {
	trade, err := p.treasury.Query(ctx, payment.PaymentID(orderID))
	if err == nil && trade.Paid() {
		err = p.receive(ctx, orderID, trade)
	}
	return trade, err
}

// end ends a prepay, unless money came.
func (p *Payments) end(ctx context.Context, orderID string) error {
	trade, err := p.ask(ctx, orderID)
	switch {
	case errors.Is(err, wechatpay.ErrUnknown): // we crashed before the provider heard of it
		return p.do(ctx, orderID, payment.ClosePrepay)
	case err != nil || trade.Paid():
		return err
	case trade.Outstanding():
		if err := p.close(ctx, orderID); err != nil {
			return err
		}
	case !trade.Over():
		return fmt.Errorf("payment of %s: the provider says %q, which means nothing here", orderID, trade.State)
	}
	return p.do(ctx, orderID, payment.ClosePrepay)
}

func (p *Payments) close(ctx context.Context, orderID string) error {
	err := p.treasury.Close(ctx, payment.PaymentID(orderID))
	if errors.Is(err, wechatpay.ErrClosed) {
		return nil
	}
	return err // also ErrPaid: who asks next finds the money
}
