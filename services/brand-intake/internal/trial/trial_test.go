package trial_test

import (
	"fmt"
	"slices"
	"testing"

	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	"github.com/qingcang/qingcang/services/brand-intake/internal/trial"
	"github.com/qingcang/qingcang/services/internal/fault"
)

func scores(points ...int) (all []trial.Score) {
	for p := range slices.Chunk(points, 4) {
		all = append(all, trial.Score{Performance: p[0], Price: p[1], Look: p[2], Packaging: p[3]})
	}
	return all
}

func TestTheIndexIsTheMeanInTenthsRoundedDown(t *testing.T) {
	for name, c := range map[string]struct {
		scores    []trial.Score
		want      int32
		wantFault bool
	}{
		"one tester":                     {scores: scores(8, 9, 6, 5), want: 70},
		"all aspects weigh the same":     {scores: scores(10, 1, 1, 1), want: 32},
		"and so do all testers":          {scores: scores(10, 10, 10, 10, 1, 1, 1, 2), want: 56},
		"the worst":                      {scores: scores(1, 1, 1, 1), want: 10},
		"the best, 200 times":            {scores: slices.Repeat(scores(10, 10, 10, 10), 200), want: 100},
		"nobody is no trial":             {wantFault: true},
		"201 testers are too many":       {scores: slices.Repeat(scores(10, 10, 10, 10), 201), wantFault: true},
		"no points at all are none":      {scores: scores(8, 8, 0, 8), wantFault: true},
		"eleven points are one too many": {scores: scores(8, 8, 8, 11), wantFault: true},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := trial.New("trial_1", "TS-1", c.scores)
			if code(err) != map[bool]string{true: "bad_scores"}[c.wantFault] || got.IndexTenths != c.want {
				t.Errorf("got %d, %v; want %d, a fault: %t", got.IndexTenths, err, c.want, c.wantFault)
			}
		})
	}
}

func code(err error) string {
	if f, ok := fault.As(err); ok {
		return f.Code
	}
	return ""
}

func TestTheNewestTrialCounts(t *testing.T) {
	type ask struct {
		id, style string
		points    int
	}
	for name, c := range map[string]struct {
		asks     []ask
		want     string
		wantCode string // of the last
	}{
		"never tried":                         {nil, "TS-1: none", ""},
		"once":                                {[]ask{{"a", "TS-1", 5}}, "TS-1: 50", ""},
		"twice":                               {[]ask{{"a", "TS-1", 5}, {"b", "TS-1", 4}}, "TS-1: 40", ""},
		"a repeat brings no older trial back": {[]ask{{"a", "TS-1", 5}, {"b", "TS-1", 4}, {"a", "TS-1", 5}}, "TS-1: 40", ""},
		"other scores under its key":          {[]ask{{"a", "TS-1", 5}, {"a", "TS-1", 9}}, "TS-1: 50", "idempotency_key_reused"},
		"another style's":                     {[]ask{{"a", "TS-1", 5}, {"b", "TS-2", 9}}, "TS-1: 50", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var s trial.Styles
			var last error
			for _, a := range c.asks {
				last = take(t, &s, a.id, a.style, a.points)
			}
			got := "TS-1: none"
			if newest, tried := s.Newest("TS-1"); tried {
				got = fmt.Sprint("TS-1: ", newest.IndexTenths)
			}
			if got != c.want || code(last) != c.wantCode {
				t.Errorf("got %s, %v; want %s, %q", got, last, c.want, c.wantCode)
			}
		})
	}
}

func take(t *testing.T, s *trial.Styles, id, style string, points int) error {
	t.Helper()
	tried, err := trial.New(id, style, scores(points, points, points, points))
	if err != nil {
		t.Fatal(err)
	}
	facts, err := s.Take("brand_a", "staff-1", tried)
	for _, f := range facts {
		if !s.Fold(f) {
			t.Fatalf("%v is of no trial", f)
		}
	}
	return err
}

func TestAHundredTrialsOfAStyleAreRemembered(t *testing.T) {
	var s trial.Styles
	for n := range 150 {
		if err := take(t, &s, fmt.Sprint(n), "TS-1", 1+n%10); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(s.ByNo["TS-1"]); got != 100 {
		t.Errorf("%d are remembered", got)
	}
	if err := take(t, &s, "60", "TS-1", 10); code(err) != "idempotency_key_reused" {
		t.Errorf("the key of ninety trials ago: %v", err)
	}
	if s.Fold(&brandv1.BrandApproved{}) {
		t.Error("another fact is taken for a trial")
	}
}
