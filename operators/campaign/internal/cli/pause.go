package cli

import (
	"time"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

var pausing = change{
	verb:  "pause",
	short: "Keep new orders out of a campaign",
	long: `Keep new orders out of a campaign until it is resumed (spec.suspend). What is held can still be paid, and
the clock of startAt and endAt runs on.`,
	refuse: func(c *v1alpha1.Campaign, _ time.Time) string {
		switch {
		case c.Spec.Suspend:
			return "is paused already"
		default:
			return over(c, "there is nothing to pause")
		}
	},
	apply: func(c *v1alpha1.Campaign, _ time.Time) error {
		c.Spec.Suspend = true
		return nil
	},
	asked:   "pause asked for; the lane takes no new order within about a second",
	done:    "paused; what is held can still be paid",
	stops:   true,
	reached: func(c *v1alpha1.Campaign) bool { return c.Spec.Suspend },
}

var resuming = change{
	verb:  "resume",
	short: "Let new orders into a paused campaign again",
	long:  "Let new orders into a paused campaign again (spec.suspend).",
	refuse: func(c *v1alpha1.Campaign, _ time.Time) string {
		switch {
		case !c.Spec.Suspend:
			return "is not paused"
		default:
			return over(c, "there is nothing to resume")
		}
	},
	apply: func(c *v1alpha1.Campaign, _ time.Time) error {
		c.Spec.Suspend = false
		return nil
	},
	asked:   "resume asked for; the lane takes orders again within about a second, if it is open",
	done:    "resumed",
	reached: func(c *v1alpha1.Campaign) bool { return !c.Spec.Suspend },
}

// over says why a campaign that sells no more, and never will, is left alone; "" for any other.
func over(c *v1alpha1.Campaign, so string) string {
	switch {
	case !c.DeletionTimestamp.IsZero() && !runsOn(c):
		return "is being deleted: " + so
	case closed(c):
		return "has closed: " + so
	default:
		return ""
	}
}

// runsOn tells whether a deletion leaves a sale to run to its end.
func runsOn(c *v1alpha1.Campaign) bool {
	return c.Spec.DeletionPolicy == v1alpha1.EndOnTime && c.Status.OpenedAt != nil
}

// closed tells whether the lane has closed the sale.
func closed(c *v1alpha1.Campaign) bool {
	switch c.Status.Phase {
	case v1alpha1.PhaseDraining, v1alpha1.PhaseAfterSale, v1alpha1.PhaseSettled:
		return true
	default:
		return c.Status.ClosedAt != nil
	}
}
