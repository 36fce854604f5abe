package view

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

func TestSpans(t *testing.T) {
	for want, seconds := range map[string]int64{"0s": 0, "59s": 59, "1m00s": 60, "3m07s": 187, "1h00m00s": 3_600, "5h03m12s": 18_192, "1d00h": 86_400, "2d03h": 183_600} {
		if got := Span(seconds); got != want {
			t.Errorf("%d seconds are %q, want %q", seconds, got, want)
		}
	}
}

func TestACountdownIsOverAtTheMomentItself(t *testing.T) {
	for name, tc := range map[string]struct {
		left time.Duration
		want int64
	}{
		"a nanosecond before": {1, 1},
		"a second before":     {time.Second, 1},
		"at the moment":       {0, 0},
		"a second late":       {-time.Second, -1},
	} {
		t.Run(name, func(t *testing.T) {
			if got := secondsUntil(start, start.Add(-tc.left)); got != tc.want {
				t.Errorf("got %d, want %d", got, tc.want)
			}
		})
	}
}

func TestABarShowsEachPartThatIsThere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.Int64Range(0, 1_000_000)
		s := Stock{Sold: part.Draw(t, "sold"), Held: part.Draw(t, "held"), Left: part.Draw(t, "left")}
		s.Units = s.Sold + s.Held + s.Left
		if s.Units == 0 {
			return
		}
		bar := s.bar()
		if n := utf8.RuneCountInString(bar); n != barCells {
			t.Fatalf("%q has %d cells", bar, n)
		}
		for cell, units := range map[string]int64{"█": s.Sold, "▒": s.Held, "░": s.Left} {
			if shown := strings.Contains(bar, cell); shown != (units > 0) {
				t.Fatalf("%q of %+v", bar, s)
			}
		}
	})
}

func TestABarOfFiguresThatDoNotAddUp(t *testing.T) {
	for name, s := range map[string]Stock{
		"more than there is": {Units: 10, Sold: 100, Held: 90, Left: 80},
		"less than there is": {Units: 1_000, Sold: 1},
		"nothing of it":      {Units: 10},
	} {
		t.Run(name, func(t *testing.T) {
			if bar := s.bar(); utf8.RuneCountInString(bar) != barCells {
				t.Errorf("%q has not %d cells", bar, barCells)
			}
		})
	}
}

func TestWhatOthersWroteStaysInItsLine(t *testing.T) {
	c := coats(phase(v1alpha1.PhaseLive), asWanted)
	c.Spec.Title = "Autumn\ncoats \x1b[2J\u009b2J秋装"
	var tree strings.Builder
	if err := Of(Facts{Campaign: c}, start).Tree(&tree, Black); err != nil {
		t.Fatal(err)
	}
	if head, _, _ := strings.Cut(tree.String(), "\n"); !strings.HasSuffix(head, "Autumn coats  [2J 2J秋装") {
		t.Errorf("the tree begins with %q", head)
	}
}

func TestThePaceIsThatOfTheLastSeconds(t *testing.T) {
	p := &Pacer{}
	status := &v1alpha1.CampaignStatus{}
	if pace := p.Look(status, start); pace.PaidPerSecond != nil {
		t.Errorf("one look gives a pace of %v", *pace.PaidPerSecond)
	}
	var pace Pace
	for second := 1; second <= 60; second++ {
		if second > 30 { // for half a minute nothing, then 5 orders of 2 units a second
			status.PaidOrders += 5
			status.SoldUnits += 10
		}
		pace = p.Look(status, start.Add(time.Duration(second)*time.Second))
	}
	if *pace.PaidPerSecond != 5 || *pace.TakenPerSecond != 10 {
		t.Errorf("%v orders and %v units a second, want 5 and 10", *pace.PaidPerSecond, *pace.TakenPerSecond)
	}
	if len(p.marks) > 12 {
		t.Errorf("it remembers %d looks", len(p.marks))
	}
}

func TestALineIsCutAtItsColumns(t *testing.T) {
	for name, tc := range map[string]struct {
		line string
		most int
		want string
	}{
		"one that fits":             {"Phase Live", 10, "Phase Live"},
		"one that is too long":      {"Phase Live", 5, "Phase"},
		"Chinese takes two columns": {"秋装清仓", 5, "秋装"},
		"colour takes none":         {"\x1b[31mbad\x1b[0m", 3, "\x1b[31mbad\x1b[0m"},
		"colour that is cut ends":   {"\x1b[31mworse\x1b[0m", 3, "\x1b[31mwor\x1b[0m"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Clip(tc.line, tc.most); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestWhatOnlyTimeChangesIsNoChange(t *testing.T) {
	c := coats(phase(v1alpha1.PhaseLive), asWanted, reported(start))
	before, after := Of(Facts{Campaign: c}, start), Of(Facts{Campaign: c}, start.Add(time.Minute))
	if before.Line() != after.Line() {
		t.Errorf("%q became %q", before.Line(), after.Line())
	}
}
