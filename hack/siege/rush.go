package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/qingcang/qingcang/hack/internal/recount"
	"github.com/qingcang/qingcang/hack/siege/internal/field"
)

const (
	// crowd are the buyers of a rush, atOnce those who ask at the same time.
	crowd  = 5_000
	atOnce = 200
	// scarce are the units that a sold-out campaign has.
	scarce = 100
	// rushLimit bounds a rush with all its kills; a busy machine and Apache Kafka take minutes.
	rushLimit = 6 * time.Minute
)

// rush is a crowd that orders one unit each while processes are killed.
type rush struct {
	*siege
	sale   field.Sale
	buyers []field.Buyer
	faults *faults

	answered atomic.Int64

	mu     sync.Mutex
	placed map[string]field.Buyer // by order id, those with a 201
}

// sellOut: stock 100, a crowd of buyers who ask again with the same key, cancel and pay, and
// everything is killed on the way. All is sold in the end, and not a unit more.
func sellOut(ctx context.Context, s *siege) error {
	return s.rushes(ctx, scarce, func(ctx context.Context, r *rush) error { return r.judgeScarce(ctx) })
}

// judgeScarce sells what is left and counts.
func (r *rush) judgeScarce(ctx context.Context) error {
	if err := r.fillUp(ctx); err != nil {
		return err
	}
	r.payAll(ctx)
	audit, err := r.Audit(ctx, func(a field.Audit) error {
		if held, sold := a.Units(r.sale.UID); sold != scarce || held != 0 {
			return fmt.Errorf("%d units are sold and %d held, want all %d sold", sold, held, scarce)
		}
		return nil
	})
	r.addAll(audit)
	return err
}

// loseNothing: every 201 stands in the log, and both replicas show the order.
func loseNothing(ctx context.Context, s *siege) error {
	return s.rushes(ctx, 10*crowd, func(ctx context.Context, r *rush) error { return r.judgeAll(ctx) })
}

// judgeAll looks for every order with a 201 in the log and at both replicas.
func (r *rush) judgeAll(ctx context.Context) error {
	audit, err := r.Audit(ctx, func(a field.Audit) error { return a.Lack(slices.Collect(maps.Keys(r.placed))) })
	r.addAll(audit)
	if err != nil {
		return err
	}
	r.showAll(ctx, audit.Orders)
	return nil
}

// rushes makes a rush for each trial and judges it.
func (s *siege) rushes(ctx context.Context, units int64, judge func(context.Context, *rush) error) error {
	for !s.over() {
		ctx, cancel := context.WithTimeout(ctx, rushLimit)
		started := time.Now()
		r := &rush{siege: s, sale: s.sale(units), faults: newFaults(), placed: map[string]field.Buyer{}}
		err := r.run(ctx, r.victims())
		if err == nil {
			err = judge(ctx, r)
		}
		cancel()
		if err != nil {
			return err
		}
		s.note("rush %d: %d orders of %d buyers in %.1f s", s.tried, len(r.placed), len(r.buyers), time.Since(started).Seconds())
		s.tell(fmt.Sprintf("rush %d", s.tried), 1, r.faults.all()...)
	}
	return nil
}

// run opens the sale, lets the crowd in, and kills as the crowd moves on.
func (r *rush) run(ctx context.Context, victims []victim) error {
	var err error
	if r.buyers, err = r.Shop.Buyers(fmt.Sprintf("r%sx%d", r.row, r.sales), crowd); err != nil {
		return err
	}
	if err := r.Open(ctx, r.sale); err != nil {
		return err
	}
	killed := make(chan error, 1)
	killing, stop := context.WithCancel(ctx)
	defer stop()
	buying, leave := context.WithCancel(ctx)
	defer leave()
	go func() {
		err := r.kill(killing, victims)
		if err != nil {
			leave() // the crowd would insist for long
		}
		killed <- err
	}()
	work := make(chan field.Buyer)
	var buyers sync.WaitGroup
	for worker := range atOnce {
		random := rand.New(rand.NewPCG(r.seed, uint64(worker)))
		buyers.Go(func() {
			for b := range work {
				r.buy(buying, b, random)
				r.answered.Add(1)
			}
		})
	}
	for _, b := range r.buyers {
		work <- b
	}
	close(work)
	buyers.Wait()
	if err := <-killed; err != nil {
		return err
	}
	return r.Back(ctx, r.processes()...)
}

// buy is one buyer: he insists, some with two taps at once, and some of those who got a unit give it
// up again or pay at once.
func (r *rush) buy(ctx context.Context, b field.Buyer, random *rand.Rand) {
	i := r.intent(b)
	second := make(chan field.Answer, 1)
	if random.IntN(5) == 0 {
		go func() { second <- r.Shop.Buy(ctx, i) }()
	} else {
		second <- field.Answer{}
	}
	a := r.Shop.Buy(ctx, i)
	switch twin := <-second; {
	case twin.Status == 0 || twin.Status == a.Status && twin.OrderID == a.OrderID:
	case a.Unwritten: // sold out when one tap came, and not when the other did
		a = twin
	case !twin.Unwritten:
		r.faults.add("one key was answered %v (%s) and %v (%s)", a, a.OrderID, twin, twin.OrderID)
	}
	switch a.Status {
	case http.StatusCreated:
		r.took(a.OrderID, b)
	case http.StatusConflict:
		return
	default:
		r.faults.add("a buyer who insisted was answered %v", a)
		return
	}
	switch random.IntN(10) {
	case 0:
		cancelled := field.Insist(ctx, func(ctx context.Context, replica string) field.Answer {
			return r.Shop.Cancel(ctx, replica, b, a.OrderID)
		})
		if cancelled.Status != http.StatusOK {
			r.faults.add("order %s cannot be cancelled: %v", a.OrderID, cancelled)
		}
	case 1, 2:
		if paid := r.Shop.Pay(ctx, b, a.OrderID); paid.Status != http.StatusOK {
			r.faults.add("order %s cannot be paid: %v", a.OrderID, paid)
		}
	}
}

// intent is what a buyer of the crowd asks for.
func (r *rush) intent(b field.Buyer) field.Intent {
	return field.Intent{Buyer: b, Key: "rush-" + b.ID, Campaign: r.sale.UID, Units: 1}
}

func (r *rush) took(id string, b field.Buyer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.placed[id] = b
}

// fillUp sells what the cancelled orders gave back.
func (r *rush) fillUp(ctx context.Context) error {
	late, err := r.Shop.Buyers(fmt.Sprintf("l%sx%d", r.row, r.sales), scarce)
	if err != nil {
		return err
	}
	for _, b := range late {
		a := r.Shop.Buy(ctx, field.Intent{Buyer: b, Key: "late-" + b.ID, Campaign: r.sale.UID, Units: 1})
		switch a.Status {
		case http.StatusCreated:
			r.took(a.OrderID, b)
		case http.StatusConflict:
			return nil
		default:
			r.faults.add("a late buyer was answered %v", a)
		}
	}
	r.faults.add("%d buyers more got a unit each and nobody was told that it is sold out", len(late))
	return nil
}

// payAll pays whatever holds stock still; what is paid or cancelled says so.
func (r *rush) payAll(ctx context.Context) {
	r.each(func(id string, b field.Buyer) {
		shown := field.Insist(ctx, func(ctx context.Context, replica string) field.Answer { return r.Shop.Show(ctx, replica, b, id) })
		if shown.State != "held" {
			return
		}
		// A payment from before may be on its way: it was paid then.
		if paid := r.Shop.Pay(ctx, b, id); paid.Status != http.StatusOK && paid.Status != http.StatusConflict {
			r.faults.add("order %s cannot be paid: %v", id, paid)
		}
	})
}

// showAll asks both replicas for every order that was answered with 201.
func (r *rush) showAll(ctx context.Context, counted map[string]recount.Accepted) {
	r.each(func(id string, b field.Buyer) {
		for _, replica := range field.Replicas {
			shown := field.Insist(ctx, func(ctx context.Context, _ string) field.Answer { return r.Shop.Show(ctx, replica, b, id) })
			o := counted[id]
			// Money that was on its way when the log was counted may have come since.
			want := map[string]bool{"held": o.Holds, "paid": o.Sold || o.Holds, "cancelled": !o.Holds && !o.Sold}
			if shown.Status != http.StatusOK || shown.OrderID != id || !want[shown.State] {
				r.faults.add("%s shows order %s as %v; by the log it holds: %t, is sold: %t", replica, id, shown, o.Holds, o.Sold)
			}
		}
	})
}

// each does something for every order with a 201, some at a time.
func (r *rush) each(do func(id string, b field.Buyer)) {
	ids := make(chan string)
	var workers sync.WaitGroup
	for range 32 {
		workers.Go(func() {
			for id := range ids {
				do(id, r.placed[id])
			}
		})
	}
	for id := range r.placed {
		ids <- id
	}
	close(ids)
	workers.Wait()
}

func (r *rush) addAll(a field.Audit) {
	if a.Result == nil {
		return
	}
	for _, fault := range a.Faults {
		r.faults.add("%s", fault)
	}
}

// victim is what is killed, and how.
type victim struct {
	name string
	kill func(context.Context) error
}

// processes are those that have to be back after a rush.
func (s *siege) processes() []string {
	all := append([]string{field.Database}, field.Replicas...)
	if !s.kafka {
		all = append(all, field.Broker)
	}
	return all
}

// victims in a random order: a replica that publishes the sale's lane, one that does not, the
// database, the broker. Of Apache Kafka's brokers one is killed and one is paused.
func (r *rush) victims() []victim {
	crash := func(process string) victim {
		return victim{process, func(context.Context) error { return r.Crash(process) }}
	}
	publisher := func(is bool) func(context.Context) error {
		return func(ctx context.Context) error {
			lanes, err := r.AwaitPublishers(ctx, func(map[string][]int) bool { return true })
			if err != nil {
				return err
			}
			for _, replica := range field.Replicas {
				if slices.Contains(lanes[replica], r.sale.Lane) == is {
					return r.Crash(replica)
				}
			}
			return errors.New("no replica is the victim")
		}
	}
	list := []victim{{"the publisher", publisher(true)}, {"the other replica", publisher(false)}, crash(field.Database)}
	if r.kafka {
		list = append(list, r.brokers()...)
	} else {
		list = append(list, crash(field.Broker))
	}
	r.rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

// kill kills each victim when its share of the crowd has been answered, and waits for each to be
// back before the next: more than one fault at a time is another row's matter.
func (r *rush) kill(ctx context.Context, victims []victim) error {
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for i, v := range victims {
		for int(r.answered.Load()) < (i+1)*crowd/(len(victims)+2) {
			select {
			case <-ctx.Done():
				return fmt.Errorf("the rush was over before %s was killed", v.name)
			case <-ticker.C:
			}
		}
		if err := v.kill(ctx); err != nil {
			return fmt.Errorf("kill %s: %w", v.name, err)
		}
		if err := r.Back(ctx, r.processes()...); err != nil {
			return err
		}
	}
	return nil
}
