package v1alpha1_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

func TestAScheduleIsReadInItsZone(t *testing.T) {
	utc := func(day, hour int) time.Time { return time.Date(2026, time.November, day, hour, 0, 0, 0, time.UTC) }
	for name, tc := range map[string]struct {
		spec v1alpha1.CampaignSpec
		want v1alpha1.Schedule
	}{
		"times without an offset": {
			v1alpha1.CampaignSpec{
				TimeZone: "Asia/Shanghai", PreviewAt: "2026-11-24T12:00:00", StartAt: "2026-11-24T20:00:00", EndAt: "2026-11-25T00:00:00",
			},
			v1alpha1.Schedule{Preview: utc(24, 4), Start: utc(24, 12), End: utc(24, 16)},
		},
		"times with offsets": {
			v1alpha1.CampaignSpec{
				TimeZone: "Asia/Shanghai", PreviewAt: "2026-11-24T04:00:00Z", StartAt: "2026-11-24T13:00:00+01:00", EndAt: "2026-11-25T00:00:00+08:00",
			},
			v1alpha1.Schedule{Preview: utc(24, 4), Start: utc(24, 12), End: utc(24, 16)},
		},
		"no preview, and no zone in an object from before there were zones": {
			v1alpha1.CampaignSpec{StartAt: "2026-11-24T12:00:00Z", EndAt: "2026-11-24T16:00:00Z"},
			v1alpha1.Schedule{Start: utc(24, 12), End: utc(24, 16)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := tc.spec.Schedule()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("schedule (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAScheduleThatCannotBeReadSaysWhich(t *testing.T) {
	const good = "2026-11-24T20:00:00"
	for want, spec := range map[string]v1alpha1.CampaignSpec{
		`timeZone: unknown time zone Mars/Olympus_Mons`:                                                {TimeZone: "Mars/Olympus_Mons", StartAt: good, EndAt: good},
		`startAt: parsing time "" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "2006"`:           {EndAt: good},
		`endAt: parsing time "2026-11-31T20:00:00": day out of range`:                                  {StartAt: good, EndAt: "2026-11-31T20:00:00"},
		`previewAt: parsing time "noon" as "2006-01-02T15:04:05Z07:00": cannot parse "noon" as "2006"`: {PreviewAt: "noon", StartAt: good, EndAt: good},
	} {
		if _, err := spec.Schedule(); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestATimeIsWrittenLikeTheOthers(t *testing.T) {
	at := time.Date(2026, time.November, 24, 12, 30, 0, 999, time.UTC)
	for name, tc := range map[string]struct {
		startAt v1alpha1.Moment
		want    v1alpha1.Moment
	}{
		"without an offset": {"2026-11-24T20:00:00", "2026-11-24T20:30:00"},
		"with one":          {"2026-11-24T20:00:00+08:00", "2026-11-24T12:30:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			spec := v1alpha1.CampaignSpec{TimeZone: "Asia/Shanghai", StartAt: tc.startAt}
			got, err := spec.Write(at)
			if err != nil || got != tc.want {
				t.Errorf("got %s, %v, want %s", got, err, tc.want)
			}
		})
	}
}
