package program

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	programv1 "github.com/qingcang/qingcang/proto/gen/program/v1"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

// now is the evening before 25 November 2026 begins in Shanghai.
var now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

type edit func(*v1alpha1.OwnerProgram)

// aProgram is as the API server stores it, in its first generation.
func aProgram(edits ...edit) *v1alpha1.OwnerProgram {
	p := &v1alpha1.OwnerProgram{
		ObjectMeta: metav1.ObjectMeta{
			Name: "standard", Namespace: "sales", UID: "uid-standard", Generation: 1, Finalizers: []string{v1alpha1.ProgramFinalizer},
		},
		Spec: v1alpha1.OwnerProgramSpec{Title: "Store owner", FeeFen: 39_800, Depth: 1},
	}
	for _, e := range edits {
		e(p)
	}
	return p
}

func fee(fen int64) edit { return func(p *v1alpha1.OwnerProgram) { p.Spec.FeeFen = fen } }

func generation(n int64) edit { return func(p *v1alpha1.OwnerProgram) { p.Generation = n } }

func revision(n int64) edit { return func(p *v1alpha1.OwnerProgram) { p.Status.Revision = n } }

func unheld(p *v1alpha1.OwnerProgram) { p.Finalizers = nil }

func deleted(p *v1alpha1.OwnerProgram) {
	p.DeletionTimestamp = &metav1.Time{Time: now}
	p.Generation++
}

// signedOff has depth 2 from a day on.
func signedOff(day string) edit {
	return func(p *v1alpha1.OwnerProgram) {
		p.Spec.Depth, p.Spec.SignOff = 2, &v1alpha1.SignOff{Date: day}
	}
}

// record is a programme as it was published in a generation.
func record(generation int64, edits ...edit) *programv1.Desired {
	d := desired(aProgram(edits...), "north")
	d.Generation = generation
	return d
}

// theEnd is what is known of an end.
func theEnd(generation int64) *programv1.Desired {
	return &programv1.Desired{Uid: "uid-standard", Generation: generation, Closed: true}
}

func closing(d *programv1.Desired) *programv1.Desired {
	d.Closed = true
	return d
}

func TestWhatIsPublished(t *testing.T) {
	for name, tc := range map[string]struct {
		snapshot Snapshot
		want     *programv1.Desired
		reason   string
	}{
		"a new programme is published":             {Snapshot{Program: aProgram()}, record(1), "Published"},
		"what stands there is not published again": {Snapshot{Program: aProgram(), Published: record(1)}, nil, "Published"},
		"a change is": {Snapshot{Program: aProgram(generation(2), fee(100)), Published: record(1)}, record(2, fee(100)), "Published"},
		"nothing is right after the broker refused":         {Snapshot{Program: aProgram(), PublishFault: "no leader"}, nil, "PublishFailed"},
		"what was tried keeps its generation":               {Snapshot{Program: aProgram(generation(3), fee(100), revision(4)), Published: record(4), Attempted: record(5, fee(100))}, record(5, fee(100)), "Published"},
		"what was tried otherwise does not":                 {Snapshot{Program: aProgram(generation(3), fee(100), revision(4)), Published: record(4), Attempted: record(5, fee(90))}, record(6, fee(100)), "Published"},
		"an old copy publishes nothing":                     {Snapshot{Program: aProgram(fee(100)), Published: record(2)}, nil, "Published"},
		"nor does one that is older than what was replaced": {Snapshot{Program: aProgram(fee(100)), Published: record(1), Newest: record(2)}, nil, "Published"},
		"an older record that came back is replaced":        {Snapshot{Program: aProgram(generation(2), fee(100), revision(2)), Published: record(1), Newest: record(2, fee(100))}, record(3, fee(100)), "Published"},
		"depth 2 that was signed off is published":          {Snapshot{Program: aProgram(signedOff("2026-11-24"))}, record(1, signedOff("2026-11-24")), "Published"},
		"depth 2 waits for its day in Shanghai":             {Snapshot{Program: aProgram(signedOff("2026-11-25"))}, nil, "SignOffNotYet"},
		"depth 2 without a day that can be read waits":      {Snapshot{Program: aProgram(signedOff("soon"))}, nil, "SignOffNotYet"},
		"what was ended stays ended":                        {Snapshot{Program: aProgram(generation(9)), Published: theEnd(2)}, nil, "Ended"},
		"also under an older record":                        {Snapshot{Program: aProgram(generation(9)), Published: record(1), Newest: theEnd(2), Ended: true}, nil, "Ended"},
		"also where the broker did not confirm the end":     {Snapshot{Program: aProgram(generation(9)), Published: record(1), Attempted: closing(record(2))}, nil, "Ended"},
	} {
		t.Run(name, func(t *testing.T) {
			tc.snapshot.Cluster = "north"
			got := Plan(tc.snapshot, now)
			if diff := cmp.Diff(tc.want, got.Publish, protocmp.Transform()); diff != "" {
				t.Errorf("published (-want +got):\n%s", diff)
			}
			if _, reason := Ready(&v1alpha1.OwnerProgram{Status: *got.Status}); reason != tc.reason && tc.reason != "Published" || reason != "AsWanted" && tc.reason == "Published" {
				t.Errorf("Ready for %s, want %s", reason, tc.reason)
			}
			if newest := max(got.Publish.GetGeneration(), tc.snapshot.newest()); got.Status.Revision != newest {
				t.Errorf("revision %d, want %d", got.Status.Revision, newest)
			}
		})
	}
}

func TestASignOffWakesThePlan(t *testing.T) {
	midnight := now.Add(4 * time.Hour)
	if got := Plan(Snapshot{Program: aProgram(signedOff("2026-11-25"))}, now).WakeAt; !got.Equal(midnight) {
		t.Errorf("it wakes at %s, want %s", got, midnight)
	}
	if got := Plan(Snapshot{Program: aProgram(signedOff("2026-11-25"))}, midnight); got.Publish == nil || !got.WakeAt.IsZero() {
		t.Errorf("at midnight it plans %+v, want it published", got)
	}
}

func TestDeletion(t *testing.T) {
	gone := aProgram(deleted)
	for name, tc := range map[string]struct {
		snapshot Snapshot
		want     Steps
	}{
		"what was never published goes at once":         {Snapshot{Program: gone}, Steps{Release: true}},
		"an end that stands there lets it go":           {Snapshot{Program: gone, Published: theEnd(2)}, Steps{Release: true}},
		"a published programme is ended, then let go":   {Snapshot{Program: gone, Published: record(1)}, Steps{Publish: closing(record(2)), Release: true}},
		"an object that is not held is left alone":      {Snapshot{Program: aProgram(unheld, deleted), Published: record(1)}, Steps{}},
		"what the broker may hold is ended":             {Snapshot{Program: gone, Attempted: record(1)}, Steps{Publish: closing(record(2)), Release: true}},
		"an end that was tried keeps its generation":    {Snapshot{Program: gone, Published: record(1), Attempted: closing(record(2))}, Steps{Publish: closing(record(2)), Release: true}},
		"an end comes after all that readers know":      {Snapshot{Program: gone, Published: record(1), Newest: record(4)}, Steps{Publish: closing(record(5)), Release: true}},
		"an end that readers have passed is made again": {Snapshot{Program: gone, Published: closing(record(2)), Newest: record(2)}, Steps{Publish: closing(record(3)), Release: true}},
		"an end is not under its object":                {Snapshot{Program: aProgram(generation(6), deleted), Published: record(1)}, Steps{Publish: closing(record(7)), Release: true}},
	} {
		t.Run(name, func(t *testing.T) {
			tc.snapshot.Cluster = "north"
			if diff := cmp.Diff(tc.want, Plan(tc.snapshot, now), protocmp.Transform()); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
		})
	}
	waits := Plan(Snapshot{Program: gone, Published: record(1), PublishFault: "no leader"}, now)
	if waits.Release || waits.Publish != nil {
		t.Errorf("without the broker it plans %+v, want the object kept", waits)
	}
	if _, reason := Ready(&v1alpha1.OwnerProgram{Status: *waits.Status}); reason != v1alpha1.ReasonPublishFailed {
		t.Errorf("Ready for %s, want PublishFailed", reason)
	}
}

// A plan is pure: what it was made from stays as it was.
func TestAPlanChangesNothingThatItWasMadeFrom(t *testing.T) {
	s := Snapshot{Cluster: "north", Program: aProgram(generation(2), fee(100)), Published: record(1)}
	before, published := s.Program.DeepCopy(), proto.CloneOf(s.Published)
	Plan(s, now)
	if diff := cmp.Diff(before, s.Program); diff != "" || !proto.Equal(published, s.Published) {
		t.Errorf("the programme changed: %s", diff)
	}
}
