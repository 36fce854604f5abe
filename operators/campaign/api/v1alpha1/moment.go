package v1alpha1

import (
	"fmt"
	"time"

	// A static image has no zone files; the API server brings its own, too.
	_ "time/tzdata"
)

// Moment is a time in whole seconds as people write it: "2026-11-24T20:00:00"
// is read in the campaign's timeZone, "2026-11-24T20:00:00+08:00" and
// "2026-11-24T12:00:00Z" say for themselves.
//
// ---
// It is a string because metav1.Time cannot hold a time whose zone stands elsewhere. The pattern knows the
// months and leap years of this century: timestamp() would refuse the same days, without a sentence.
//
// +kubebuilder:validation:MaxLength=25
// +kubebuilder:validation:XValidation:rule="self.matches('^(20[0-9]{2}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))|20([02468][048]|[13579][26])-02-29)T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])?$')",message="write a time of this century in whole seconds, on a day that the calendar has: 2026-11-24T20:00:00, read in timeZone, or with its offset, 2026-11-24T20:00:00+08:00"
type Moment string

// wallTime is a Moment without an offset.
const wallTime = "2006-01-02T15:04:05"

// MomentOf writes a time with its offset, in whole seconds.
func MomentOf(t time.Time) Moment { return Moment(t.Truncate(time.Second).Format(time.RFC3339)) }

// in is the moment as a time in a zone. Admission refuses a time without an
// offset near a change of the clock, so no such time is there twice or never.
func (m Moment) in(zone *time.Location) (time.Time, error) {
	layout := time.RFC3339
	if len(m) == len(wallTime) {
		layout = wallTime
	}
	t, err := time.ParseInLocation(layout, string(m), zone)
	if err != nil {
		return time.Time{}, err
	}
	return t.In(zone), nil
}

// Schedule is when a campaign is shown, opens and closes, in its own zone.
//
// +kubebuilder:object:generate=false
type Schedule struct {
	// Preview is zero when the campaign is shown as soon as it is known.
	Preview, Start, End time.Time
}

// Schedule reads the three times. It fails only for what admission would have
// refused, and for a zone that this program does not know although the API
// server did.
func (s *CampaignSpec) Schedule() (Schedule, error) {
	zone, err := time.LoadLocation(s.TimeZone)
	if err != nil {
		return Schedule{}, fmt.Errorf("timeZone: %w", err)
	}
	var schedule Schedule
	for _, one := range []struct {
		name string
		from Moment
		to   *time.Time
	}{
		{"previewAt", s.PreviewAt, &schedule.Preview},
		{"startAt", s.StartAt, &schedule.Start},
		{"endAt", s.EndAt, &schedule.End},
	} {
		if one.from == "" && one.name == "previewAt" {
			continue
		}
		if *one.to, err = one.from.in(zone); err != nil {
			return Schedule{}, fmt.Errorf("%s: %w", one.name, err)
		}
	}
	return schedule, nil
}

// Write is a time in the way in which the spec's own times are written, so
// that it can stand beside them.
func (s *CampaignSpec) Write(t time.Time) (Moment, error) {
	if len(s.StartAt) != len(wallTime) {
		return MomentOf(t), nil
	}
	zone, err := time.LoadLocation(s.TimeZone)
	if err != nil {
		return "", fmt.Errorf("timeZone: %w", err)
	}
	return Moment(t.In(zone).Format(wallTime)), nil
}
