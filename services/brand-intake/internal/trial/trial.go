// Package trial keeps what trial users think of a brand's styles. It is pure.
package trial

import (
	"slices"

	"google.golang.org/protobuf/proto"

	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/ids"
)

const (
	// MaxTesters bounds the scores of one trial.
	MaxTesters = 200
	// least and most bound each of a tester's points.
	least, most = 1, 10
	// aspects is how many points a tester gives.
	aspects = 4
	// remembered is how many trials of a style are known by their id: a repeat that comes after so
	// many others counts as a new one.
	remembered = 100
)

// The faults of this package.
var (
	ErrStyleUnknown = fault.New(fault.NotFound, "style_unknown", "the brand has no approved stock of this style")

	errScores    = fault.New(fault.Invalid, "bad_scores", "a trial has the scores of 1 to 200 testers, each of 1 to 10 points")
	errKeyReused = fault.New(fault.Unprocessable, "idempotency_key_reused", "this Idempotency-Key came before with another body")
)

// Score is what one tester thinks of a style, in points of 1 to 10. Who it was is not kept.
type Score struct{ Performance, Price, Look, Packaging int }

func (s Score) points() [aspects]int {
	return [aspects]int{s.Performance, s.Price, s.Look, s.Packaging}
}

// Trial is what came of one trial.
type Trial struct {
	ID, StyleNo string
	// IndexTenths is the mean of all points in tenths of a point, rounded down: 67 is 6.7 of 10.
	IndexTenths int32
	Testers     int32
	// BodyHash tells a repeat from a reused key.
	BodyHash uint64
}

// New makes a trial of the scores.
func New(id, styleNo string, scores []Score) (Trial, error) {
	if len(scores) == 0 || len(scores) > MaxTesters {
		return Trial{}, errScores
	}
	sum, body := 0, make([]byte, 0, len(scores)*aspects)
	for _, score := range scores {
		for _, points := range score.points() {
			if points < least || points > most {
				return Trial{}, errScores
			}
			sum += points
			body = append(body, byte(points))
		}
	}
	return Trial{
		ID: id, StyleNo: styleNo, BodyHash: ids.BodyHash(body),
		IndexTenths: int32(10 * sum / (aspects * len(scores))), Testers: int32(len(scores)),
	}, nil
}

// Styles are the trials of one brand, by style number, the newest last. The zero value is empty.
type Styles struct{ ByNo map[string][]Trial }

// Newest returns the trial that counts, false for a style that was never tried.
func (s *Styles) Newest(styleNo string) (Trial, bool) {
	trials := s.ByNo[styleNo]
	if len(trials) == 0 {
		return Trial{}, false
	}
	return trials[len(trials)-1], true
}

// Take decides that a trial counts from now on. Of one that was taken before there is nothing to decide.
func (s *Styles) Take(brandID, by string, t Trial) ([]proto.Message, error) {
	for _, before := range s.ByNo[t.StyleNo] {
		if before.ID == t.ID {
			return nil, before.same(t)
		}
	}
	return []proto.Message{&brandv1.StyleTried{
		BrandId: brandID, StyleNo: t.StyleNo, IndexTenths: t.IndexTenths, Testers: t.Testers, TriedBy: by,
		TrialId: t.ID, BodyHash: t.BodyHash,
	}}, nil
}

// same refuses a repeat whose scores are not those of the first time.
func (t Trial) same(again Trial) error {
	if t.BodyHash != again.BodyHash {
		return errKeyReused
	}
	return nil
}

// Fold takes a fact into the styles and reports whether it was one of theirs.
func (s *Styles) Fold(f proto.Message) bool {
	tried, ok := f.(*brandv1.StyleTried)
	if !ok {
		return false
	}
	if s.ByNo == nil {
		s.ByNo = map[string][]Trial{}
	}
	trials := s.ByNo[tried.GetStyleNo()]
	if len(trials) == remembered {
		trials = slices.Delete(trials, 0, 1)
	}
	s.ByNo[tried.GetStyleNo()] = append(trials, Trial{
		ID: tried.GetTrialId(), StyleNo: tried.GetStyleNo(), IndexTenths: tried.GetIndexTenths(),
		Testers: tried.GetTesters(), BodyHash: tried.GetBodyHash(),
	})
	return true
}
