package program

import (
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	programv1 "github.com/qingcang/qingcang/proto/gen/program/v1"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

// Snapshot is all that is known of one programme at one moment. Plan only reads it.
type Snapshot struct {
	// Cluster is the name under which this operator publishes.
	Cluster string
	Program *v1alpha1.OwnerProgram
	// Published is what programs.v1 ends with for it, nil when nothing. Of an end no more than its generation
	// need be known.
	Published *programv1.Desired
	// Newest is the record with the greatest generation that was ever read there, without its ranks: what its
	// readers know, see campaign.Snapshot. Ended tells that one of all records there was an end.
	Newest *programv1.Desired
	Ended  bool
	// Attempted is what the broker did not confirm when it was last published, nil when nothing.
	Attempted *programv1.Desired
	// PublishFault says why publishing has just failed; with it the plan publishes nothing.
	PublishFault string
}

// Steps is what to do about a programme, in the order of its fields; see campaign.Steps.
type Steps struct {
	Hold    bool
	Publish *programv1.Desired
	Status  *v1alpha1.OwnerProgramStatus
	Release bool
	WakeAt  time.Time
}

// Plan says what to do about a programme.
func Plan(s Snapshot, now time.Time) Steps {
	if !s.Program.DeletionTimestamp.IsZero() {
		return end(s, now)
	}
	signed, unsigned := signedAt(s.Program)
	steps := Steps{Hold: !held(s.Program)}
	refused := refuse(s, signed, unsigned, now)
	if refused == nil && s.PublishFault == "" {
		steps.Publish = outdated(s)
	}
	steps.Status = status(s, steps.Publish, refused, now)
	if signed.After(now) {
		steps.WakeAt = signed
	}
	return steps
}

// end ends the programme of a deleted object, which goes as soon as that stands in programs.v1.
func end(s Snapshot, now time.Time) Steps {
	switch {
	case !held(s.Program):
		return Steps{}
	case s.ended():
		return Steps{Release: true}
	case s.PublishFault != "":
		return Steps{Status: status(s, nil, nil, now)}
	}
	return Steps{Publish: s.closing(), Release: true}
}

// ended tells whether nothing of a deleted programme is left to end: its end stands in programs.v1 and no
// reader knows a newer record, or nothing was ever written.
func (s Snapshot) ended() bool {
	outrun := s.Newest.GetGeneration() >= s.Published.GetGeneration() && !s.Newest.GetClosed()
	return s.Published.GetClosed() && !outrun || s.Published == nil && s.Attempted == nil
}

// newest is the greatest generation that this programme ever had.
func (s Snapshot) newest() int64 {
	return max(s.Published.GetGeneration(), s.Newest.GetGeneration(), s.Attempted.GetGeneration(), s.Program.Status.Revision)
}

// unconfirmed returns what the broker may hold and did not confirm, nil for nothing.
func (s Snapshot) unconfirmed() *programv1.Desired {
	read := max(s.Published.GetGeneration(), s.Newest.GetGeneration())
	if s.Attempted.GetGeneration() > read && s.Attempted.GetGeneration() == s.newest() {
		return s.Attempted
	}
	return nil
}

// closing is the end of what was published last, or may have been. Its generation is not under the object's,
// which its deletion has raised: operators with an older copy write none above it.
func (s Snapshot) closing() *programv1.Desired {
	if tried := s.unconfirmed(); tried.GetClosed() {
		return tried
	}
	last := s.Published
	if s.Attempted.GetGeneration() > last.GetGeneration() {
		last = s.Attempted
	}
	return Closing(last, max(s.newest(), s.Program.Generation-1))
}

// Closing is the record that ends a published programme, above the newest generation that is known.
func Closing(published *programv1.Desired, newest int64) *programv1.Desired {
	end := proto.CloneOf(published)
	end.Closed = true
	end.Generation = max(published.GetGeneration(), newest) + 1
	return end
}

// refusal is why a programme is not published.
type refusal struct{ reason, message string }

// refuse says why the operator itself does not publish this spec, nil when it does. What the law forbids
// was refused at admission; a sign-off of tomorrow is only known to be one by whoever has a clock.
func refuse(s Snapshot, signed time.Time, unsigned error, now time.Time) *refusal {
	switch {
	case s.Ended || s.Published.GetClosed() || s.Attempted.GetClosed():
		return &refusal{v1alpha1.ReasonEnded, "the end of this programme was published before and is final: delete it and make another"}
	case unsigned != nil:
		return &refusal{v1alpha1.ReasonSignOffNotYet, fmt.Sprintf("signOff.date cannot be read: %v", unsigned)}
	case signed.After(now):
		return &refusal{v1alpha1.ReasonSignOffNotYet, fmt.Sprintf(
			"signOff.date is %s, which has not begun in %s: the programme is published then", s.Program.Spec.SignOff.Date, lawZone)}
	}
	return nil
}

// lawZone is where days count.
const lawZone = "Asia/Shanghai"

// signedAt is the beginning of the day on which depth 2 was signed off, zero for a programme that needs none.
func signedAt(p *v1alpha1.OwnerProgram) (time.Time, error) {
	if p.Spec.Depth < 2 || p.Spec.SignOff == nil {
		return time.Time{}, nil
	}
	zone, err := time.LoadLocation(lawZone)
	if err != nil {
		return time.Time{}, err
	}
	return time.ParseInLocation(time.DateOnly, p.Spec.SignOff.Date, zone)
}

// outdated returns what is to be published, nil if programs.v1 holds it. A copy of the object that is
// older than what was published, and does not know of it either, is behind in the cache.
func outdated(s Snapshot) *programv1.Desired {
	want := desired(s.Program, s.Cluster)
	read := max(s.Published.GetGeneration(), s.Newest.GetGeneration())
	stale := read > max(s.Program.Generation, s.Program.Status.Revision)
	if stale || same(want, s.Published) && s.newest() == s.Published.GetGeneration() {
		return nil
	}
	if tried := s.unconfirmed(); same(want, tried) {
		return tried
	}
	want.Generation = max(s.newest()+1, s.Program.Generation)
	return want
}

// same tells whether two records say the same but for their generation.
func same(a, b *programv1.Desired) bool {
	if b == nil {
		return false
	}
	a, b = proto.CloneOf(a), proto.CloneOf(b)
	a.Generation, b.Generation = 0, 0
	return proto.Equal(a, b)
}

func status(s Snapshot, publish *programv1.Desired, refused *refusal, now time.Time) *v1alpha1.OwnerProgramStatus {
	old := s.Program.Status.DeepCopy()
	next := &v1alpha1.OwnerProgramStatus{
		ObservedGeneration: s.Program.Generation,
		Revision:           max(publish.GetGeneration(), s.newest()),
		PublishedAt:        old.PublishedAt,
		Conditions:         old.Conditions,
	}
	if publish != nil || s.Published != nil && next.PublishedAt == nil {
		at := stamp(now)
		next.PublishedAt = &at
	}
	published := metav1.Condition{Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonPublished, Message: "the services have been told"}
	ready := metav1.Condition{Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonAsWanted, Message: "the programme is as its spec says"}
	switch {
	case refused != nil:
		published = metav1.Condition{Status: metav1.ConditionFalse, Reason: refused.reason, Message: refused.message}
	case s.PublishFault != "":
		published = metav1.Condition{
			Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonPublishFailed,
			Message: "programs.v1 could not be written, it is tried again: " + s.PublishFault,
		}
	}
	if published.Status != metav1.ConditionTrue {
		ready = published
	}
	published.Type, ready.Type = v1alpha1.ConditionPublished, v1alpha1.ConditionReady
	for _, c := range []metav1.Condition{published, ready} {
		c.ObservedGeneration, c.LastTransitionTime = s.Program.Generation, stamp(now)
		meta.SetStatusCondition(&next.Conditions, c)
	}
	return next
}

func held(p *v1alpha1.OwnerProgram) bool {
	return slices.Contains(p.Finalizers, v1alpha1.ProgramFinalizer)
}

// stamp is a time as the API server keeps it.
func stamp(t time.Time) metav1.Time { return metav1.NewTime(t.UTC().Truncate(time.Second)) }

// Ready is what a programme's condition of that name says.
func Ready(p *v1alpha1.OwnerProgram) (status, reason string) {
	c := meta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionReady)
	if c == nil {
		return "", ""
	}
	return string(c.Status), c.Reason
}
