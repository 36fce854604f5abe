package view

import (
	"fmt"
	"time"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

// Next is the next time that changes what a campaign does.
type Next struct {
	// What happens: opens, closes, or lastHoldEnds.
	What string `json:"what"`
	// At is in the campaign's time zone.
	At time.Time `json:"at"`
	// InSeconds is negative when the time is over and it has not happened.
	InSeconds int64 `json:"inSeconds"`

	zone string
}

// What may come next.
const (
	opens        = "opens"
	closes       = "closes"
	lastHoldEnds = "lastHoldEnds"
)

// next is nil where no time is set for what comes: returns take as long as they take.
func next(c *v1alpha1.Campaign, now time.Time) *Next {
	schedule, err := c.Spec.Schedule()
	if err != nil {
		return nil // Ready says TimeUnreadable
	}
	var what string
	var at time.Time
	switch c.Status.Phase {
	case v1alpha1.PhaseLive:
		what, at = closes, schedule.End
	case v1alpha1.PhaseDraining:
		if c.Status.ClosedAt == nil {
			return nil
		}
		what, at = lastHoldEnds, c.Status.ClosedAt.Add(c.Spec.Hold.Duration)
	case v1alpha1.PhaseAfterSale, v1alpha1.PhaseSettled:
		return nil
	default:
		what, at = opens, schedule.Start
	}
	return &Next{What: what, At: at.In(schedule.Start.Location()), InSeconds: secondsUntil(at, now), zone: c.Spec.TimeZone}
}

// secondsUntil rounds up: a countdown says 1 until the moment itself, and 0 from then on.
func secondsUntil(at, now time.Time) int64 {
	left := at.Sub(now)
	seconds := int64(left / time.Second)
	if left > 0 && left%time.Second > 0 {
		seconds++
	}
	return seconds
}

// text is the countdown as a sentence's end, for example "closes in 47m12s, at 2026-11-24 14:00:00 Asia/Shanghai".
func (n *Next) text() string {
	verb, past := n.What, map[string]string{opens: "should have opened", closes: "should have closed"}[n.What]
	if n.What == lastHoldEnds {
		verb, past = "the last hold ends", "the last hold has ended"
	}
	clock := n.At.Format(time.DateTime) + " " + n.zone
	if n.InSeconds < 0 {
		return fmt.Sprintf("%s %s ago, at %s", past, Span(-n.InSeconds), clock)
	}
	return fmt.Sprintf("%s in %s, at %s", verb, Span(n.InSeconds), clock)
}

// short is the countdown for a table, for example "opens 2d03h".
func (n *Next) short() string {
	if n == nil {
		return dash
	}
	what := map[string]string{opens: "opens", closes: "closes", lastHoldEnds: "drains"}[n.What]
	if n.InSeconds < 0 {
		return what + " late " + Span(-n.InSeconds)
	}
	return what + " " + Span(n.InSeconds)
}

// Span writes seconds as people say them: "2d03h", "5h03m12s", "3m07s", "7s".
func Span(seconds int64) string {
	const minute, hour, day = 60, 3_600, 86_400
	switch {
	case seconds >= day:
		return fmt.Sprintf("%dd%02dh", seconds/day, seconds%day/hour)
	case seconds >= hour:
		return fmt.Sprintf("%dh%02dm%02ds", seconds/hour, seconds%hour/minute, seconds%minute)
	case seconds >= minute:
		return fmt.Sprintf("%dm%02ds", seconds/minute, seconds%minute)
	default:
		return fmt.Sprintf("%ds", seconds)
	}
}
