package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/qingcang/qingcang/hack/siege/internal/field"
)

const (
	// peakConnections are those of a closed loop that looks for the peak.
	peakConnections = 256
	// crowdConnections are more than a replica ever lets in at once, which is 8,192.
	crowdConnections = 9_000
	// ratedShare of the peak is the rated load.
	ratedShare       = 0.25
	peakSpan         = 5 * time.Second
	ciSpan, fullSpan = 20 * time.Second, 15 * time.Minute
	// warmUp is how long the limiter has to learn what load there is.
	warmUp = 3 * time.Second
)

// What holds under overload, by the replicas' own measure: the generator's wait for a processor that
// it shares with them does not count.
const (
	admittedWithin, refusedWithin = "2.5", "0.05" // seconds
	// lateShare may take longer.
	lateShare = 0.01
	// goodput is the least share of the peak that is admitted.
	goodput = 0.5
)

// overload asks a replica for 4 and for 10 times its rated load, in an open loop. What is admitted is answered
// about as soon as before, what is not is told so at once, and the books are right.
//
// The log is what bounds the peak: a narrow link before the broker. Generator and service share the
// processors, and who floods a service that is short of these measures himself.
func overload(ctx context.Context, s *siege) error {
	sale := s.sale(1_000_000_000)
	if err := s.Open(ctx, sale); err != nil {
		return err
	}
	f, err := s.flood(sale)
	if err != nil {
		return err
	}
	if err := s.Harm(field.Broker, field.Narrow); err != nil {
		return err
	}
	if _, err := f.run(ctx, peakConnections, 0, warmUp); err != nil {
		return err
	}
	peak, err := f.run(ctx, peakConnections, 0, peakSpan)
	if err != nil {
		return err
	}
	s.note("peak: %v", peak)
	if err := f.floods(ctx, peak.rate()); err != nil {
		return err
	}
	if err := s.Heal(field.Broker); err != nil {
		return err
	}
	return f.judge(ctx)
}

// floods makes the trials.
func (f *flood) floods(ctx context.Context, peak float64) error {
	span := ciSpan
	if f.full {
		span = fullSpan
	}
	for _, times := range []float64{10, 4} {
		if f.over() {
			return nil
		}
		asked := times * ratedShare * peak
		if _, err := f.run(ctx, crowdConnections, asked, warmUp); err != nil {
			return err
		}
		t, err := f.measured(ctx, asked, span)
		if err != nil {
			return err
		}
		f.note("%.0f times the rated load, %.0f/s for %s: %v", times, asked, span, t)
		f.tell(fmt.Sprintf("%.0f times the rated load", times), 1, t.amiss(min(asked, peak))...)
	}
	return nil
}

// measured is a run with what the replicas say of it.
func (f *flood) measured(ctx context.Context, rate float64, span time.Duration) (*tally, error) {
	admitted, err := f.lateness(ctx, http.StatusCreated, admittedWithin)
	if err != nil {
		return nil, err
	}
	refused, err := f.lateness(ctx, http.StatusTooManyRequests, refusedWithin)
	if err != nil {
		return nil, err
	}
	t, err := f.run(ctx, crowdConnections, rate, span)
	if err != nil {
		return nil, err
	}
	if t.admittedLate, err = admitted(); err != nil {
		return nil, err
	}
	t.refusedLate, err = refused()
	return t, err
}

// lateness returns what says, later, which share of the answers since now took longer than the bound.
func (f *flood) lateness(ctx context.Context, status int, bound string) (func() (float64, error), error) {
	before, promptBefore, err := f.Served(ctx, status, bound)
	return func() (float64, error) {
		all, prompt, err := f.Served(ctx, status, bound)
		if err != nil || all == before {
			return 0, err
		}
		return 1 - (prompt-promptBefore)/(all-before), nil
	}, err
}

// amiss judges a run that could have admitted so many a second.
func (t *tally) amiss(possible float64) []string {
	var all []string
	if t.admittedLate > lateShare {
		all = append(all, fmt.Sprintf("%.1f%% of what was admitted took more than %s s", 100*t.admittedLate, admittedWithin))
	}
	if t.refusedLate > lateShare {
		all = append(all, fmt.Sprintf("%.1f%% of the refusals took more than %s s", 100*t.refusedLate, refusedWithin))
	}
	if t.rate() < goodput*possible {
		all = append(all, fmt.Sprintf("%.0f/s are admitted, and %.0f could be", t.rate(), possible))
	}
	if len(t.others) > 0 {
		all = append(all, fmt.Sprintf("answers that are neither 201 nor 429: %v", t.others))
	}
	return all
}

// judge counts all that was promised in the flood.
func (f *flood) judge(ctx context.Context) error {
	audit, err := f.Audit(ctx, func(a field.Audit) error { return a.Lack(f.placed) })
	if err == nil {
		f.tellAfter(audit.Faults...)
	}
	return err
}
