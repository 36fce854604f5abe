package main

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/qingcang/qingcang/hack/siege/internal/field"
)

const (
	// taps is how often one key is sent at the same time, half to each replica.
	taps = 50
	// keysAtOnce times taps are under way together.
	keysAtOnce = 4
	// keysBetweenCrashes is how many keys are tried between two crashes.
	keysBetweenCrashes = 100
	// soldOutEvery is how often a key asks for what is gone: a refusal is repeated as it was too.
	soldOutEvery = 10
)

// oneKey tries idempotency keys: taps at once over both replicas while one of them crashes, then in
// sequence, then with another body. Each key has one effect and one answer.
func oneKey(ctx context.Context, s *siege) error {
	open, gone := s.sale(1_000_000), s.sale(1)
	if err := s.Open(ctx, open, gone); err != nil {
		return err
	}
	all, err := s.Shop.Buyers("key", s.trials+1)
	if err != nil {
		return err
	}
	last := all[s.trials]
	if a := s.Shop.Buy(ctx, field.Intent{Buyer: last, Key: "the-last-unit", Campaign: gone.UID, Units: 1}); a.Status != http.StatusCreated {
		s.tell("before the first key", 1, fmt.Sprintf("the last unit cannot be bought: %v", a))
		return nil
	}
	accepted := int64(0)
	for !s.over() {
		k := &keys{siege: s, faults: newFaults(), answers: make([]field.Answer, min(keysBetweenCrashes, s.trials-s.tried))}
		for i := range k.answers {
			intent := field.Intent{Buyer: all[s.tried+i], Key: fmt.Sprintf("tapped-key-%d", s.tried+i), Campaign: open.UID, Units: 1}
			if i%soldOutEvery == 0 {
				intent.Campaign = gone.UID
			} else {
				accepted++
			}
			k.intents = append(k.intents, intent)
		}
		if err := k.try(ctx); err != nil {
			return err
		}
		s.tell(fmt.Sprintf("the keys up to %d", s.tried+len(k.intents)), len(k.intents), k.faults.all()...)
	}
	audit, err := s.Audit(ctx, func(a field.Audit) error {
		if held, sold := a.Units(open.UID); held+sold != accepted {
			return fmt.Errorf("%d keys for a unit each hold or bought %d units", accepted, held+sold)
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.tellAfter(audit.Faults...)
	return nil
}

// keys are those between two crashes.
type keys struct {
	*siege
	faults  *faults
	intents []field.Intent
	answers []field.Answer
}

// try taps every key while a replica crashes, and repeats each when that is back.
func (k *keys) try(ctx context.Context) error {
	if err := k.AtRest(ctx); err != nil {
		return err
	}
	victim, at := field.Replicas[k.rand.IntN(len(field.Replicas))], k.rand.IntN(len(k.intents))
	crashed := make(chan error, 1)
	k.each(func(i int) {
		if i == at {
			crashed <- k.Crash(victim)
		}
		k.answers[i] = k.tap(ctx, k.intents[i])
	})
	if err := <-crashed; err != nil {
		return err
	}
	if err := k.Back(ctx, victim); err != nil {
		return err
	}
	k.each(func(i int) { k.repeat(ctx, k.intents[i], k.answers[i]) })
	return ctx.Err()
}

// each does something for every key, some at a time.
func (k *keys) each(do func(i int)) {
	numbers := make(chan int)
	var workers sync.WaitGroup
	for range keysAtOnce {
		workers.Go(func() {
			for i := range numbers {
				do(i)
			}
		})
	}
	for i := range k.intents {
		numbers <- i
	}
	close(numbers)
	workers.Wait()
}

// tap sends one key many times at once and returns the one answer.
func (k *keys) tap(ctx context.Context, i field.Intent) field.Answer {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	answers := make([]field.Answer, taps)
	var fingers sync.WaitGroup
	for n := range answers {
		fingers.Go(func() { answers[n] = k.Shop.Buy(ctx, i) })
	}
	fingers.Wait()
	for _, a := range answers[1:] {
		if a.Status != answers[0].Status || a.OrderID != answers[0].OrderID || a.Code != answers[0].Code {
			k.faults.add("the key %s was answered %v (%s) and %v (%s)", i.Key, answers[0], answers[0].OrderID, a, a.OrderID)
			break
		}
	}
	want := http.StatusCreated
	if answers[0].Code == "sold_out" {
		want = http.StatusConflict
	}
	if answers[0].Status != want {
		k.faults.add("the key %s was answered %v", i.Key, answers[0])
	}
	return answers[0]
}

// repeat sends a key again after the crash, as it was and with another body.
func (k *keys) repeat(ctx context.Context, i field.Intent, first field.Answer) {
	other := i
	other.Units++
	for _, replica := range field.Replicas {
		again := field.Insist(ctx, func(ctx context.Context, _ string) field.Answer { return k.Shop.Place(ctx, replica, i) })
		if again.Status != first.Status || again.OrderID != first.OrderID || again.Code != first.Code {
			k.faults.add("%s: the key %s was answered %v and later %v", replica, i.Key, first, again)
		}
		if first.Status != http.StatusCreated {
			continue // of a refusal by what is left, the body may not have been read
		}
		changed := field.Insist(ctx, func(ctx context.Context, _ string) field.Answer { return k.Shop.Place(ctx, replica, other) })
		if changed.Status != http.StatusUnprocessableEntity || changed.Code != "idempotency_key_reused" {
			k.faults.add("%s: the key %s with another body was answered %v", replica, i.Key, changed)
		}
	}
}
