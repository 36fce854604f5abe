package cli

import (
	"errors"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/teststack"
)

func suspend(s *v1alpha1.CampaignSpec) { s.Suspend = true }

func tomorrow(s *v1alpha1.CampaignSpec) {
	s.StartAt, s.EndAt = v1alpha1.MomentOf(time.Now().Add(24*time.Hour)), v1alpha1.MomentOf(time.Now().Add(25*time.Hour))
}

func yesterday(s *v1alpha1.CampaignSpec) {
	s.StartAt, s.EndAt = v1alpha1.MomentOf(time.Now().Add(-25*time.Hour)), v1alpha1.MomentOf(time.Now().Add(-24*time.Hour))
}

func TestNonsenseIsRefusedWithASentence(t *testing.T) {
	w := newWorld(t)
	w.campaign("live", live())
	w.campaign("alone", live())
	w.campaign("paused", live(), suspend)
	w.campaign("drains", inPhase(v1alpha1.PhaseDraining))
	w.campaign("paused-drains", inPhase(v1alpha1.PhaseDraining), suspend)
	w.campaign("settled", inPhase(v1alpha1.PhaseSettled))
	w.campaign("waits", inPhase(v1alpha1.PhasePreview), tomorrow)
	w.campaign("ending", live(), yesterday)
	for name, tc := range map[string]struct {
		args []string
		want string
		code int
	}{
		"pausing what is paused":                {[]string{"pause", "paused"}, "campaign paused is paused already", ExitFailed},
		"pausing what has closed":               {[]string{"pause", "drains"}, "campaign drains has closed: there is nothing to pause", ExitFailed},
		"pausing what is settled":               {[]string{"pause", "settled"}, "campaign settled has closed: there is nothing to pause", ExitFailed},
		"resuming what is not paused":           {[]string{"resume", "live"}, "campaign live is not paused", ExitFailed},
		"resuming what has closed":              {[]string{"resume", "paused-drains"}, "campaign paused-drains has closed: there is nothing to resume", ExitFailed},
		"closing what has closed":               {[]string{"close", "drains", "--yes"}, "campaign drains has closed: there is nothing to close", ExitFailed},
		"closing what has not opened":           {[]string{"close", "waits", "--yes"}, "campaign waits has not opened (it opens in 23h59m", ExitFailed},
		"closing what closes by itself":         {[]string{"close", "ending", "--yes"}, "campaign ending is past its endAt already: the lane closes it by itself", ExitFailed},
		"closing where nobody can be asked":     {[]string{"close", "live"}, "campaign live is as it was: nobody can be asked here: say --yes", ExitFailed},
		"a campaign that is not there":          {[]string{"pause", "coats"}, "there is no campaign coats in namespace " + w.Namespace, ExitFailed},
		"no name":                               {[]string{"pause"}, "usage: name one campaign", ExitUsage},
		"two names":                             {[]string{"close", "live", "paused"}, "usage: name one campaign", ExitUsage},
		"a flag that is not there":              {[]string{"pause", "live", "--force"}, "unknown flag: --force", ExitUsage},
		"waiting for what no operator answers":  {[]string{"pause", "alone", "--wait", "--timeout", "100ms"}, "after 100ms the status does not say that it is so: it is Live, Ready is True for AsWanted", ExitFailed},
		"a command that is not there":           {[]string{"open", "live"}, `kubectl qingcang has no command "open"`, ExitUsage},
		"a kubeconfig that is not there":        {[]string{"pause", "live", "--kubeconfig", "/nowhere/config"}, "/nowhere/config", ExitFailed},
		"a context that the kubeconfig has not": {[]string{"pause", "live", "--context", "moon"}, `context "moon" does not exist`, ExitFailed},
	} {
		t.Run(name, func(t *testing.T) {
			got := w.run(tc.args...)
			if got.code != tc.code || !strings.Contains(got.err, tc.want) || got.out != "" {
				t.Errorf("code %d, it printed %q and complained\n  %s\nwant code %d and\n  %s", got.code, got.out, got.err, tc.code, tc.want)
			}
		})
	}
}

func TestPauseAndResume(t *testing.T) {
	w := newWorld(t)
	w.campaign("coats", live())

	if got := w.run("pause", "coats"); got.code != ExitOK || !strings.HasPrefix(got.out, "campaign coats: pause asked for") {
		t.Fatalf("%+v", got)
	}
	paused := w.get("coats")
	if !paused.Spec.Suspend {
		t.Error("spec.suspend is not set")
	}
	if manager := paused.ManagedFields[len(paused.ManagedFields)-1].Manager; manager != fieldManager {
		t.Errorf("the field belongs to %q, want %q", manager, fieldManager)
	}
	w.follow("coats", func(c *v1alpha1.Campaign) { ready(&c.Status, v1alpha1.ReasonSuspended) })

	resumed := make(chan said)
	go func() { resumed <- w.run("resume", "coats", "--wait") }()
	w.follow("coats", func(c *v1alpha1.Campaign) { ready(&c.Status, v1alpha1.ReasonAsWanted) })
	if got := <-resumed; got.code != ExitOK || got.out != "campaign coats: resumed\n" {
		t.Errorf("%+v", got)
	}
	if w.get("coats").Spec.Suspend {
		t.Error("spec.suspend is still set")
	}
}

// unpublished is the status of a sale that runs and whose spec is not published.
func unpublished(reason, message string) v1alpha1.CampaignStatus {
	status := live()
	status.PublishedAt = status.OpenedAt
	meta.SetStatusCondition(&status.Conditions, metav1.Condition{
		Type: v1alpha1.ConditionPublished, Status: metav1.ConditionFalse, Reason: reason, Message: message,
	})
	return status
}

func TestWhatIsNotPublishedDoesNotReachTheLane(t *testing.T) {
	w := newWorld(t)
	never := unpublished("TrialIndexTooLow", "C1 is not tried")
	never.PublishedAt = nil
	w.campaign("paused", unpublished("TrialIndexTooLow", "C1 is not tried"), suspend)
	w.campaign("away", unpublished("PublishFailed", "no leader"))
	w.campaign("new", never)
	for name, tc := range map[string]struct {
		args []string
		want string
	}{
		"resuming a refused spec":          {[]string{"resume", "paused"}, "TrialIndexTooLow: C1 is not tried"},
		"pausing while the broker is away": {[]string{"pause", "away"}, "PublishFailed: no leader"},
		"pausing what was never published": {[]string{"pause", "new"}, "TrialIndexTooLow: C1 is not tried"},
	} {
		t.Run(name, func(t *testing.T) {
			got := w.run(tc.args...)
			if want := "its lane does not hear of it until this is put right: " + tc.want; got.code != ExitFailed || !strings.Contains(got.err, want) {
				t.Errorf("%+v, want %s", got, want)
			}
			if name := tc.args[1]; w.get(name).Spec.Suspend == (name == "paused") {
				t.Error("it was not asked for")
			}
		})
	}
}

func TestARefusedSpecIsStoppedAllTheSame(t *testing.T) {
	w := newWorld(t)
	w.campaign("coats", unpublished("TrialIndexTooLow", "C1 is not tried"))
	if got := w.run("pause", "coats"); got.code != ExitOK || !strings.HasPrefix(got.out, "campaign coats: pause asked for") {
		t.Errorf("pausing it: %+v", got)
	}
	w.follow("coats", func(*v1alpha1.Campaign) {})
	closed := make(chan said)
	go func() { closed <- w.run("close", "coats", "--yes", "--wait") }()
	w.follow("coats", func(c *v1alpha1.Campaign) { c.Status.Phase = v1alpha1.PhaseDraining })
	if got := <-closed; got.code != ExitOK || !strings.HasPrefix(got.out, "campaign coats: closed") {
		t.Errorf("closing it: %+v", got)
	}
}

func TestClose(t *testing.T) {
	w := newWorld(t)
	w.campaign("coats", live())
	closed := make(chan said)
	go func() { closed <- w.run("close", "coats", "--yes", "--wait") }()
	w.follow("coats", func(c *v1alpha1.Campaign) { c.Status.Phase = v1alpha1.PhaseDraining })
	got := <-closed
	if got.code != ExitOK || got.out != "campaign coats: closed; held orders may still be paid within their hold\n" {
		t.Errorf("%+v", got)
	}
	const want = "This ends the sale of coats (Autumn coats) now: no new orders. 120 held units may still be paid, within 15m00s; " +
		"470 unsold units, and what is not paid, go back to the brand. A sale that has closed cannot be opened again.\n"
	if got.err != want {
		t.Errorf("it said\n  %swant\n  %s", got.err, want)
	}
	schedule, err := w.get("coats").Spec.Schedule()
	if err != nil || time.Since(schedule.End) < 0 || time.Since(schedule.End) > time.Minute {
		t.Errorf("it ends at %s (%v), want about now", schedule.End, err)
	}
}

func TestADeletedSaleThatRunsOnIsClosed(t *testing.T) {
	w := newWorld(t)
	runsOn := w.deleted("coats", func(s *v1alpha1.CampaignSpec) { s.DeletionPolicy = v1alpha1.EndOnTime })
	if got := w.run("pause", "coats"); got.code != ExitOK {
		t.Errorf("pausing it: %+v", got)
	}
	closed := make(chan said)
	go func() { closed <- w.run("close", "coats", "--yes", "--wait") }()
	teststack.Eventually(t, func() error {
		if w.get("coats").Spec.EndAt == runsOn.Spec.EndAt {
			return errors.New("its end is not set yet")
		}
		return nil
	})
	w.release("coats") // as the operator does when the end is published
	if got := <-closed; got.code != ExitOK || !strings.HasPrefix(got.out, "campaign coats: closed") {
		t.Errorf("%+v", got)
	}

	w.deleted("shoes", func(s *v1alpha1.CampaignSpec) { s.DeletionPolicy = v1alpha1.EndNow })
	if got := w.run("pause", "shoes"); got.code != ExitFailed || !strings.Contains(got.err, "campaign shoes is being deleted: there is nothing to pause") {
		t.Errorf("pausing what a deletion ends: %+v", got)
	}
	w.release("shoes")
}

func TestAnEndIsWrittenAsTheStartIs(t *testing.T) {
	now := time.Date(2026, 11, 24, 13, 30, 15, 999, time.UTC)
	for name, tc := range map[string]struct {
		start, want v1alpha1.Moment
	}{
		"with an offset":                 {"2026-11-24T20:00:00+08:00", "2026-11-24T21:30:15+08:00"},
		"in UTC":                         {"2026-11-24T12:00:00Z", "2026-11-24T21:30:15+08:00"},
		"in the campaign's zone":         {"2026-11-24T20:00:00", "2026-11-24T21:30:15"},
		"in the second of the start":     {"2026-11-24T21:30:15", "2026-11-24T21:30:16"},
		"with a start that is yet to be": {"2026-11-24T23:00:00", "2026-11-24T23:00:01"},
	} {
		t.Run(name, func(t *testing.T) {
			c := &v1alpha1.Campaign{Spec: v1alpha1.CampaignSpec{TimeZone: "Asia/Shanghai", StartAt: tc.start, EndAt: tc.start}}
			if err := endNow(c, now); err != nil || c.Spec.EndAt != tc.want {
				t.Errorf("got %s, %v, want %s", c.Spec.EndAt, err, tc.want)
			}
		})
	}
}

func TestWithoutOperatorAWaitSaysHowThingsStand(t *testing.T) {
	w := newWorld(t)
	w.campaign("coats", v1alpha1.CampaignStatus{})
	got := w.run("pause", "coats", "--wait", "--timeout", "200ms")
	if got.code != ExitFailed || !strings.Contains(got.err, "no operator has seen it yet") {
		t.Errorf("%+v", got)
	}
}

func TestVersion(t *testing.T) {
	w := &world{Stack: &teststack.Stack{Namespace: "any"}, t: t}
	if got := w.run("version"); got.code != ExitOK || !strings.HasPrefix(got.out, "kubectl-qingcang ") {
		t.Errorf("%+v", got)
	}
	if got := w.run("version", "now"); got.code != ExitUsage {
		t.Errorf("%+v", got)
	}
}

func TestHelpShowsACommandsOwnFlags(t *testing.T) {
	w := &world{Stack: &teststack.Stack{Namespace: "any"}, t: t}
	got := w.run("close", "--help")
	for _, want := range []string{"--wait", "--yes", "--namespace", "--context"} {
		if !strings.Contains(got.out, want) {
			t.Errorf("no %s in\n%s", want, got.out)
		}
	}
	if strings.Contains(got.out, "--tls-server-name") {
		t.Errorf("it lists all of kubectl's flags\n%s", got.out)
	}
	if hidden := w.run("version", "--tls-server-name", "any"); hidden.code != ExitOK {
		t.Errorf("what help does not list is refused: %+v", hidden)
	}
	if wrong := w.run("close"); !strings.Contains(wrong.err, "See: kubectl qingcang close --help") {
		t.Errorf("it leads elsewhere: %s", wrong.err)
	}
}

func TestOnlyAYesIsOne(t *testing.T) {
	for name, tc := range map[string]struct {
		answer string
		agreed bool
	}{
		"yes": {"yes\n", true}, "y": {"y\n", false}, "no": {"no\n", false}, "Enter": {"\n", false}, "the end of input": {"", false},
	} {
		t.Run(name, func(t *testing.T) {
			var question output
			err := ask(t.Context(), genericiooptions.IOStreams{In: strings.NewReader(tc.answer), ErrOut: &question})
			if (err == nil) != tc.agreed || question.String() != "Go on? Type yes: " {
				t.Errorf("%q gives %v", question.String(), err)
			}
		})
	}
}
