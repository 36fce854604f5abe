package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// absence has no operator from before a sale's start until after its end.
func (t *test) absence(ctx context.Context) error {
	return t.unattended(ctx, outage{
		campaign: "no-operator", what: "operator", ahead: 25 * time.Second, length: 20 * time.Second,
		begin: func(ctx context.Context) error { return t.scaleOperator(ctx, 0) },
		end:   func(ctx context.Context) error { return t.scaleOperator(ctx, 2) },
	})
}

// hang has no API server from before a sale's start until after its end: it keeps its connections and answers nobody. It
// is short, because a node that is not heard of for 50 s counts as lost.
func (t *test) hang(ctx context.Context) error {
	if !t.cluster.local {
		t.Sees("left out: only the API server of a cluster of this machine can be made to hang")
		return nil
	}
	server := func(do string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := t.cluster.program(ctx, "", "go", t.cluster.own(do, "kube-apiserver")...)
			return err
		}
	}
	return t.unattended(ctx, outage{
		campaign: "no-api-server", what: "API server", ahead: 18 * time.Second, length: 15 * time.Second,
		begin: server("pause"), end: server("resume"),
	})
}

// outage takes something away that a running sale does not need.
type outage struct {
	campaign, what string
	// ahead is how long before the start it begins; it ends behind the end of a sale of that length.
	ahead, length time.Duration
	begin, end    func(context.Context) error
}

// unattended has an outage from before a sale's start until after its end.
func (t *test) unattended(ctx context.Context, o outage) error {
	c := t.shop.campaign(o.campaign, 50)
	c.Start = time.Now().Add(o.ahead).Truncate(time.Second)
	c.End = c.Start.Add(o.length)
	if err := t.shop.desk.Apply(ctx, c); err != nil {
		return err
	}
	status, err := t.shop.reaches(ctx, c.Name, "Warming")
	if err != nil {
		return err
	}
	err = o.begin(ctx)
	if err == nil {
		err = t.Expect(time.Now().Before(c.Start), "no %s, %.0f s before the start", o.what, time.Until(c.Start).Seconds())
	}
	s := &sale{test: t, name: c.Name, uid: status.UID, units: 50, buyers: t.shop.buyers, accepted: map[string]buyer{}}
	if err == nil {
		err = s.punctual(ctx, c.Start, c.End)
	}
	return errors.Join(err, s.comeBack(ctx, o))
}

// punctual buys before the start, at it, until the end, and after it.
func (s *sale) punctual(ctx context.Context, start, end time.Time) error {
	const look = 100 * time.Millisecond
	opened, closed, n := time.Time{}, time.Time{}, int64(0)
	for closed.IsZero() {
		id, err := s.place(ctx, n)
		answered := time.Now()
		if id != "" {
			err = s.pay(ctx, s.payer(n), s.key(n), id)
		}
		switch {
		case err == nil && id != "" && opened.IsZero():
			opened = answered
		case refusedWith(err, "not_open", "closed", "unknown_campaign"):
			if !opened.IsZero() {
				closed = answered
			}
		case err != nil:
			return err
		}
		n++
		if time.Since(end) > settle {
			return s.Expect(false, "the sale is open %s after its end", settle)
		}
		pause := look
		if !opened.IsZero() && time.Until(end) > 2*time.Second {
			pause = time.Second // the stock is to last
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
	if err := s.Expect(onTime(opened, start), "the first order was taken %.1f s after the start", opened.Sub(start).Seconds()); err != nil {
		return err
	}
	return s.Expect(onTime(closed, end), "the first order was refused %.1f s after the end; %d were taken between", closed.Sub(end).Seconds(), len(s.accepted))
}

// onTime is whether an answer came at its moment, and not long after: how punctually a sale opens on a
// quiet machine is the benchmark open_jitter's to measure.
func onTime(answered, moment time.Time) bool {
	const late = 5 * time.Second
	after := answered.Sub(moment)
	return after >= 0 && after < late
}

// comeBack ends an outage, and the operator tells what happened meanwhile.
func (s *sale) comeBack(ctx context.Context, o outage) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
	defer cancel()
	if err := o.end(ctx); err != nil {
		return err
	}
	want := int64(len(s.accepted))
	err := soon(ctx, func(ctx context.Context) error {
		all, err := s.shop.desk.Get(ctx, s.name)
		if err != nil {
			return err
		}
		if c := all[s.name]; c.Phase != "AfterSale" || c.Sold != want {
			return fmt.Errorf("the campaign is %s with %d units sold, %d were", c.Phase, c.Sold, want)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.Expect(true, "the %s is back, and the campaign is AfterSale with %d units sold", o.what, want)
}

// scaleOperator sets how many operators run and waits until that many do.
func (t *test) scaleOperator(ctx context.Context, replicas int) error {
	const name = release + "-campaign-operator"
	if _, err := t.cluster.in(ctx, "scale", "deployment", name, fmt.Sprintf("--replicas=%d", replicas)); err != nil {
		return err
	}
	if replicas > 0 {
		_, err := t.cluster.in(ctx, "rollout", "status", "deployment/"+name, "--timeout=100s")
		return err
	}
	_, err := t.cluster.in(ctx, "wait", "--for=delete", "pod", "--selector=app.kubernetes.io/name=campaign-operator", "--timeout=60s")
	return err
}
