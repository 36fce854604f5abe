package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/qingcang/qingcang/hack/internal/poll"
	"github.com/qingcang/qingcang/hack/siege/internal/field"
)

const (
	// recoverWithin is what the service may take to be as before when what it needs is sound again.
	recoverWithin = 30 * time.Second
	// regroupWithin is the same for what the publisher of a lane or a shard does, when it was the broker
	// that was not sound: a member whose connection broke in a join is waited for by the embedded broker, up
	// to 10 s for its join, as long for what it has to sync, and 10 s of silence (see hack/embedded).
	regroupWithin = 75 * time.Second
	// promptly is how soon an answer comes that does not wait for what is broken, with room for a busy
	// machine. It is below the shortest wait of a buyer's request for anything broken: 5 s, for MongoDB.
	promptly = 4 * time.Second
	// givenUp is when a request that waits for what is broken has its answer: the service's own bound of
	// 30 s, and some.
	givenUp = 35 * time.Second
	// settleIn is how long a fault lasts before anything is asked: connections that were good have to
	// notice.
	settleIn = 500 * time.Millisecond
	// A replica that has its connections again may keep some goroutines more than before: a pool's.
	spareGoroutines = 40
	// stutterRun and stutterStand are how a slow process goes: four fifths of the time it stands.
	stutterRun, stutterStand = 50 * time.Millisecond, 200 * time.Millisecond
	// crashEvery is the least time between two deaths of a failing process; see field.AtRest.
	crashEvery = 3 * time.Second
	// flakyFor is how long something that fails now and then is asked again and again.
	flakyFor = 3 * time.Second
)

// outcome is what a kind of request comes to while something is broken.
type outcome struct {
	// statuses are the answers that are right, one of which has to come.
	statuses []int
	// insist allows failures before that which say that asking again helps.
	insist bool
	within time.Duration
}

// What the order service's README promises.
var (
	works       = func(status int) outcome { return outcome{[]int{status}, false, promptly} }
	worksSlowly = func(status int) outcome { return outcome{[]int{status}, false, givenUp} }
	worksAtLast = func(status int) outcome { return outcome{[]int{status}, true, givenUp} }
	unavailable = outcome{[]int{http.StatusServiceUnavailable}, false, givenUp}
	// waits may end before the request's time does, or with it.
	waits = outcome{[]int{http.StatusServiceUnavailable, http.StatusGatewayTimeout}, false, givenUp}
)

// cell is one dependency with one fault.
type cell struct {
	dependency string
	fault      field.Fault

	place, show, open outcome
	// notice is whether WeChat Pay's notices are taken, ready whether the replica says that it is;
	// nil is either.
	notice, ready *bool
}

var yes, no = new(true), new(false)

// cells are the matrix. The two replicas do not speak to each other: what one may miss of the other
// is the publisher's work, so that the publisher of the sale's lane is a dependency of its own.
func cells() []cell {
	var list []cell
	add := func(dependency string, fault field.Fault, place, show, open outcome, notice, ready *bool) {
		list = append(list, cell{dependency, fault, place, show, open, notice, ready})
	}
	works201, works200 := works(http.StatusCreated), works(http.StatusOK)
	slow201, slow200 := worksSlowly(http.StatusCreated), worksSlowly(http.StatusOK)
	last201, last200 := worksAtLast(http.StatusCreated), worksAtLast(http.StatusOK)

	add(field.Broker, field.Down, unavailable, unavailable, unavailable, yes, no)
	add(field.Broker, field.Slow, slow201, slow200, slow200, yes, nil)
	add(field.Broker, field.HalfOpen, waits, waits, waits, yes, no)
	add(field.Broker, field.Flaky, last201, last200, last200, nil, nil)

	add(field.Database, field.Down, works201, waits, waits, no, no)
	add(field.Database, field.Slow, works201, slow200, slow200, yes, nil)
	add(field.Database, field.HalfOpen, works201, waits, waits, no, no)
	add(field.Database, field.Flaky, works201, last200, last200, nil, nil)

	add(field.Simulator, field.Down, works201, works200, unavailable, nil, yes)
	add(field.Simulator, field.Slow, works201, works200, slow200, yes, yes)
	add(field.Simulator, field.HalfOpen, works201, works200, waits, nil, yes)
	add(field.Simulator, field.Flaky, works201, works200, last200, nil, yes)

	for _, replica := range []string{otherReplica, lanePublisher} {
		for _, fault := range []field.Fault{field.Down, field.Slow, field.HalfOpen, field.Flaky} {
			add(replica, fault, works201, works200, works200, yes, yes)
		}
	}
	return list
}

// The replica that is not asked, as a dependency: one that does not publish the sale's lane, and one
// that does.
const (
	otherReplica  = "other replica"
	lanePublisher = "publisher"
)

// matrix goes through the cells, each on both replicas' account: what the README says holds while
// something is broken, and soon after all is as before.
func matrix(ctx context.Context, s *siege) error {
	sale := s.sale(10_000_000)
	if err := s.Open(ctx, sale); err != nil {
		return err
	}
	buyers, err := s.Shop.Buyers("cell", 200)
	if err != nil {
		return err
	}
	m := &grid{siege: s, sale: sale, buyers: buyers}
	if err := m.sound(ctx); err != nil {
		return err
	}
	if _, err := m.AwaitPublishers(ctx, bothPublish); err != nil {
		return err
	}
	if m.goroutines, err = m.count(ctx); err != nil {
		return err
	}
	list := cells()
	for n := 0; !s.over(); n++ {
		c := list[n%len(list)]
		m.cell, m.faults = c, newFaults()
		started := time.Now()
		back, err := m.try(ctx)
		if err != nil {
			return fmt.Errorf("%s %s: %w", c.dependency, c.fault, err)
		}
		found := m.faults.all()
		s.note("%-13s %-11s back after %4.1f s, %.1f s in all, %d amiss", c.dependency, c.fault, back.Seconds(), time.Since(started).Seconds(), len(found))
		s.tell(c.dependency+" "+string(c.fault), 1, found...)
	}
	return m.judge(ctx)
}

// judge counts all orders that were answered with 201.
func (m *grid) judge(ctx context.Context) error {
	audit, err := m.Audit(ctx, func(a field.Audit) error { return a.Lack(m.placed) })
	if err == nil {
		m.tellAfter(audit.Faults...)
	}
	return err
}

// grid is the matrix while it is tried.
type grid struct {
	*siege
	sale       field.Sale
	buyers     []field.Buyer
	goroutines map[string]int

	// the cell that is being tried
	cell   cell
	faults *faults

	mu     sync.Mutex
	asked  int
	placed []string
}

// intent is an order that nobody has asked for.
func (m *grid) intent() field.Intent {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked++
	return field.Intent{Buyer: m.buyers[m.asked%len(m.buyers)], Key: fmt.Sprintf("matrix-cell-%d", m.asked), Campaign: m.sale.UID, Units: 1}
}

func (m *grid) keep(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.placed = append(m.placed, id)
}

// try breaks, asks, mends, and waits until all is well. It returns how long that took.
func (m *grid) try(ctx context.Context) (back time.Duration, err error) {
	asked, victim, err := m.asks(ctx)
	if err != nil {
		return 0, err
	}
	// Two orders from before: one is looked at, one has a payment that is waited for.
	shown, err := m.prepare(ctx, asked)
	if err != nil {
		return 0, err
	}
	paying, err := m.prepare(ctx, asked)
	if err != nil {
		return 0, err
	}
	opened := m.Shop.OpenPayment(ctx, asked, paying.buyer, paying.id)
	if opened.Status != http.StatusOK {
		return 0, fmt.Errorf("before it is broken a payment is answered %v", opened)
	}
	mend, err := m.harm(victim)
	if err != nil {
		return 0, err
	}
	<-time.After(settleIn)
	m.askAll(ctx, asked, shown, opened)
	for broken := time.Now(); m.cell.fault == field.Flaky && time.Since(broken) < flakyFor; {
		m.askBuyers(ctx, asked, shown).Wait()
	}
	mended := time.Now()
	if err := mend(); err != nil {
		return 0, err
	}
	m.recovers(ctx, mended, paying)
	return time.Since(mended), nil
}

// asks says which replica is asked, and what is broken.
func (m *grid) asks(ctx context.Context) (asked, victim string, err error) {
	if m.cell.dependency != otherReplica && m.cell.dependency != lanePublisher {
		return field.Replicas[m.tried%len(field.Replicas)], m.cell.dependency, nil
	}
	of, err := m.AwaitPublishers(ctx, bothPublish)
	if err != nil {
		return "", "", err
	}
	for _, replica := range field.Replicas {
		if slices.Contains(of[replica], m.sale.Lane) == (m.cell.dependency == lanePublisher) {
			return field.Other(replica), replica, nil
		}
	}
	return "", "", errors.New("nobody publishes the sale's lane")
}

func bothPublish(of map[string][]int) bool { return len(of) == len(field.Replicas) }

// held is an order from before.
type held struct {
	buyer field.Buyer
	id    string
}

func (m *grid) prepare(ctx context.Context, replica string) (held, error) {
	i := m.intent()
	a := m.Shop.Place(ctx, replica, i)
	if a.Status != http.StatusCreated {
		return held{}, fmt.Errorf("before it is broken an order is answered %v", a)
	}
	m.keep(a.OrderID)
	return held{i.Buyer, a.OrderID}, nil
}

// harm breaks the victim and returns how it is mended.
func (m *grid) harm(victim string) (mend func() error, err error) {
	if victim != field.ReplicaA && victim != field.ReplicaB {
		return func() error { return m.Heal(victim) }, m.Harm(victim, m.cell.fault)
	}
	switch m.cell.fault {
	case field.Down:
		return func() error { return m.Release(victim) }, m.Halt(victim)
	case field.HalfOpen:
		return func() error { return m.Resume(victim) }, m.Pause(victim)
	case field.Slow:
		return again(stutterRun, func(context.Context) error {
			if err := m.Pause(victim); err != nil {
				return err
			}
			<-time.After(stutterStand)
			return m.Resume(victim)
		}), nil
	default:
		return again(crashEvery, func(ctx context.Context) error { return m.CrashAtRest(ctx, victim) }), nil
	}
}

// again does something until it is told to stop, with pauses; the first time at once.
func again(pause time.Duration, do func(context.Context) error) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		for {
			if err := do(ctx); err != nil && ctx.Err() == nil {
				done <- err
				return
			}
			select {
			case <-ctx.Done():
				done <- nil
				return
			case <-time.After(pause):
			}
		}
	}()
	return func() error { cancel(); return <-done }
}

// askAll asks for everything at the same time, as strangers do.
func (m *grid) askAll(ctx context.Context, asked string, shown held, opened field.Answer) {
	asking := m.askBuyers(ctx, asked, shown)
	asking.Go(func() { m.expectNotice(ctx, opened) })
	asking.Go(func() { m.expectReady(ctx, asked) })
	asking.Wait()
}

// askBuyers asks for what buyers ask for. The caller waits.
func (m *grid) askBuyers(ctx context.Context, asked string, shown held) *sync.WaitGroup {
	asking := &sync.WaitGroup{}
	asking.Go(func() {
		i := m.intent()
		a := m.expect(ctx, "an order", m.cell.place, func(ctx context.Context) field.Answer { return m.Shop.Place(ctx, asked, i) })
		if a.Status == http.StatusCreated {
			m.keep(a.OrderID)
		}
	})
	asking.Go(func() {
		m.expect(ctx, "an order page", m.cell.show, func(ctx context.Context) field.Answer { return m.Shop.Show(ctx, asked, shown.buyer, shown.id) })
	})
	asking.Go(func() {
		m.expect(ctx, "a payment", m.cell.open, func(ctx context.Context) field.Answer {
			return m.Shop.OpenPayment(ctx, asked, shown.buyer, shown.id)
		})
	})
	return asking
}

// expect asks until the promised answer comes, if it may take several tries.
func (m *grid) expect(ctx context.Context, what string, want outcome, try func(context.Context) field.Answer) field.Answer {
	ctx, cancel := context.WithTimeout(ctx, want.within)
	defer cancel()
	var a field.Answer
	if want.insist {
		a = field.Insist(ctx, func(ctx context.Context, _ string) field.Answer { return try(ctx) })
	} else {
		a = try(ctx)
	}
	if !slices.Contains(want.statuses, a.Status) {
		m.faults.add("%s is answered %v, want %v within %s", what, a, want.statuses, want.within)
	}
	return a
}

// expectNotice has the buyer pay, and looks whether WeChat Pay's notice is taken meanwhile.
func (m *grid) expectNotice(ctx context.Context, opened field.Answer) {
	if a := m.Shop.Confirm(ctx, opened.Prepay); a.Status != http.StatusOK {
		m.faults.add("WeChat Pay does not take the money: %v", a)
		return
	}
	if m.cell.notice == nil {
		return
	}
	// A notice's answer waits up to 5 s for the lane, and one that went to a replica that stands is told again
	// when WeChat Pay has waited 5 s for it; what is not taken is not taken in a second either.
	limit := 20 * time.Second
	if !*m.cell.notice {
		limit = time.Second
	}
	told := poll.Within(ctx, limit, func(context.Context) error {
		told, err := m.Told(opened.PaymentID)
		if err == nil && !told {
			err = errors.New("not taken")
		}
		return err
	}) == nil
	if told != *m.cell.notice {
		m.faults.add("a notice of WeChat Pay was taken: %t", told)
	}
}

func (m *grid) expectReady(ctx context.Context, replica string) {
	if m.cell.ready == nil {
		return
	}
	// A check asks what it needs and may have to wait for a timeout.
	err := poll.Within(ctx, 15*time.Second, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, 12*time.Second)
		defer cancel()
		if ready := m.Shop.Ready(ctx, replica) == nil; ready != *m.cell.ready {
			return fmt.Errorf("it says that it is ready: %t", ready)
		}
		return nil
	})
	if err != nil {
		m.faults.add("%s: %v", replica, err)
	}
}

// recovers waits until all is as before: both replicas take orders, show them and open payments,
// what was paid meanwhile is sold, and nothing of the trouble is left in memory.
func (m *grid) recovers(ctx context.Context, mended time.Time, paying held) {
	if err := poll.Within(ctx, time.Until(mended.Add(recoverWithin)), m.sound); err != nil {
		m.faults.add("not as before: %v", err)
	}
	within := recoverWithin
	if m.cell.dependency == field.Broker {
		within = regroupWithin
	}
	left := func() time.Duration { return time.Until(mended.Add(within)) }
	if err := poll.Within(ctx, left(), func(ctx context.Context) error { return m.isPaid(ctx, paying) }); err != nil {
		m.faults.add("what was paid meanwhile is not sold: %v", err)
	}
	err := poll.Within(ctx, left(), func(ctx context.Context) error {
		now, err := m.count(ctx)
		for _, replica := range field.Replicas {
			if before := m.goroutines[replica]; err == nil && now[replica] > before+spareGoroutines {
				err = fmt.Errorf("%s had %d goroutines and has %d", replica, before, now[replica])
			}
		}
		return err
	})
	if err != nil {
		m.faults.add("goroutines are left: %v", err)
	}
}

// sound is nil when both replicas do everything.
func (m *grid) sound(ctx context.Context) error {
	for _, replica := range field.Replicas {
		if err := m.Shop.Ready(ctx, replica); err != nil {
			return err
		}
		i := m.intent()
		a := m.Shop.Place(ctx, replica, i)
		if a.Status != http.StatusCreated {
			return fmt.Errorf("%s answers an order %v", replica, a)
		}
		m.keep(a.OrderID)
		if shown := m.Shop.Show(ctx, replica, i.Buyer, a.OrderID); shown.Status != http.StatusOK {
			return fmt.Errorf("%s answers an order page %v", replica, shown)
		}
		if opened := m.Shop.OpenPayment(ctx, replica, i.Buyer, a.OrderID); opened.Status != http.StatusOK {
			return fmt.Errorf("%s answers a payment %v", replica, opened)
		}
	}
	return nil
}

func (m *grid) isPaid(ctx context.Context, h held) error {
	for _, replica := range field.Replicas {
		if shown := m.Shop.Show(ctx, replica, h.buyer, h.id); shown.State != "paid" {
			return fmt.Errorf("%s shows %v", replica, shown)
		}
	}
	return nil
}

// count is the number of goroutines of each replica.
func (m *grid) count(ctx context.Context) (map[string]int, error) {
	now := map[string]int{}
	for _, replica := range field.Replicas {
		var err error
		if now[replica], err = m.Goroutines(ctx, replica); err != nil {
			return nil, err
		}
	}
	return now, nil
}
