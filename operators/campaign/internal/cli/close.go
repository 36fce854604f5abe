package cli

import (
	"fmt"
	"time"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/view"
)

var closing = change{
	verb:  "close",
	short: "End a campaign's sale now",
	long: `End a campaign's sale now (spec.endAt). Held orders may still be paid within their hold; what is unsold
then goes back to the brand. A sale that has closed cannot be opened again.`,
	refuse: func(c *v1alpha1.Campaign, now time.Time) string {
		if why := over(c, "there is nothing to close"); why != "" {
			return why
		}
		schedule, err := c.Spec.Schedule()
		switch {
		case err != nil:
			return fmt.Sprintf("has a time that cannot be read: %v", err)
		case c.Status.OpenedAt == nil && now.Before(schedule.Start):
			return fmt.Sprintf("has not opened (it opens in %s): delete it, or move its times", view.Span(int64(schedule.Start.Sub(now)/time.Second)))
		case !now.Before(schedule.End):
			return "is past its endAt already: the lane closes it by itself"
		default:
			return ""
		}
	},
	warn: func(c *v1alpha1.Campaign) string {
		s := c.Status
		return fmt.Sprintf("This ends the sale of %s (%s) now: no new orders. %d held units may still be paid, within %s; "+
			"%d unsold units, and what is not paid, go back to the brand. A sale that has closed cannot be opened again.",
			c.Name, c.Spec.Title, s.HeldUnits, view.Span(int64(c.Spec.Hold.Duration/time.Second)), s.LeftUnits)
	},
	apply:   endNow,
	asked:   "end asked for; the lane closes the sale within about a second",
	done:    "closed; held orders may still be paid within their hold",
	stops:   true,
	ends:    true,
	reached: closed,
}

// endNow sets endAt to this second, written as startAt is. A sale cannot end in the second in which it
// opens.
func endNow(c *v1alpha1.Campaign, now time.Time) error {
	schedule, err := c.Spec.Schedule()
	if err != nil {
		return err
	}
	end := now.Truncate(time.Second)
	if earliest := schedule.Start.Add(time.Second); end.Before(earliest) {
		end = earliest
	}
	c.Spec.EndAt, err = c.Spec.Write(end.In(schedule.Start.Location()))
	return err
}
