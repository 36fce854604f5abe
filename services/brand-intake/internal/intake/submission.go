// Package intake decides what becomes of the stock files that brands submit:
// which rows are good, when a file counts, and what operations made of it. It
// is pure; package stockfile reads the bytes.
package intake

import (
	"google.golang.org/protobuf/proto"

	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	"github.com/qingcang/qingcang/services/brand-intake/internal/stock"
)

// State is where a submission stands.
type State string

// The states of a submission.
const (
	// Receiving: not read to its end; it counts for nothing.
	Receiving State = "receiving"
	Received  State = "received"
	Approved  State = "approved"
	Rejected  State = "rejected"
)

const (
	// MaxFaults bounds the faults that are kept of a file; the rest is counted.
	MaxFaults = 1_000
	// MaxReceiving bounds the half-read files of a brand: beyond it the oldest
	// is given up, because nobody may ever come back for it.
	MaxReceiving = 4
	// MaxWaiting bounds the files of a brand that wait for operations.
	MaxWaiting = 50
	// MaxWaitingRows bounds their good rows, which every replica holds in memory:
	// two of the largest files. With it no other file begins, those that come in
	// at this moment still end.
	MaxWaitingRows = 400_000
)

// Fault is why a row, or a cell of it, was refused.
type Fault struct {
	// Row counts from 1 and includes the header.
	Row int64
	// Column is the header's own word; empty for the whole row.
	Column string
	Reason string
}

// Units are units of one SKU.
type Units struct {
	SKU   string
	Units int64
}

// Submission is one stock file, folded from its facts.
type Submission struct {
	ID    string
	State State
	// Attempt numbers the upload whose rows are taken: of two that run at the
	// same time, the later one wins.
	Attempt int64
	// Goods are the rows taken, until operations decide.
	Goods  []stock.Goods
	Faults []Fault
	// Taken and Refused count rows.
	Taken, Refused int64
	SHA256         []byte
	// Reason is why it was rejected.
	Reason string
	// Untold are goods that were approved and that the others have not been told of.
	Untold []Units
}

// Submissions are the stock files of one brand. The zero value is empty.
type Submissions struct {
	ByID map[string]*Submission
	// Attempts counts all uploads ever begun.
	Attempts int64
}

// Get returns a submission that was begun, nil if there is none.
func (s *Submissions) Get(id string) *Submission { return s.ByID[id] }

// Fold takes a fact into the submissions and reports whether it was one of
// theirs. Accepted are the goods that the fact puts into the pool.
func (s *Submissions) Fold(f proto.Message) (accepted []stock.Goods, own bool) {
	switch f := f.(type) {
	case *brandv1.SubmissionStarted:
		s.begin(f.GetSubmissionId())
	case *brandv1.SubmissionRowsTaken:
		if sub := s.Get(f.GetSubmissionId()); sub != nil {
			sub.take(f)
		}
	case *brandv1.SubmissionReceived:
		if sub := s.Get(f.GetSubmissionId()); sub != nil {
			sub.State, sub.SHA256 = Received, f.GetContentSha256()
			sub.Taken, sub.Refused = f.GetRowsTaken(), f.GetRowsRefused()
		}
	case *brandv1.SubmissionApproved:
		if sub := s.Get(f.GetSubmissionId()); sub != nil {
			return sub.approve(), true
		}
	case *brandv1.SubmissionRejected:
		if sub := s.Get(f.GetSubmissionId()); sub != nil {
			sub.State, sub.Reason, sub.Goods = Rejected, f.GetReason(), nil
		}
	case *brandv1.GoodsApproved:
		if sub := s.Get(f.GetSubmissionId()); sub != nil {
			sub.Untold = sub.Untold[min(len(f.GetGoods()), len(sub.Untold)):]
		}
	default:
		return nil, false
	}
	return nil, true
}

// begin makes room for an upload. What an earlier, broken off upload of the
// same file brought is forgotten.
func (s *Submissions) begin(id string) {
	if s.ByID == nil {
		s.ByID = map[string]*Submission{}
	}
	s.Attempts++
	s.ByID[id] = &Submission{ID: id, State: Receiving, Attempt: s.Attempts}
	receiving, oldest := 0, s.ByID[id]
	for _, sub := range s.ByID {
		if sub.State != Receiving {
			continue
		}
		receiving++
		if sub.Attempt < oldest.Attempt {
			oldest = sub
		}
	}
	if receiving > MaxReceiving {
		delete(s.ByID, oldest.ID)
	}
}

func (s *Submission) take(f *brandv1.SubmissionRowsTaken) {
	for _, g := range f.GetGoods() {
		s.Goods = append(s.Goods, stock.FromMessage(g))
	}
	for _, fault := range f.GetFaults() {
		if len(s.Faults) < MaxFaults {
			s.Faults = append(s.Faults, Fault{Row: fault.GetRow(), Column: fault.GetColumn(), Reason: fault.GetReason()})
		}
	}
}

// approve hands the goods over, one entry a SKU, and remembers of which the
// others have to be told.
func (s *Submission) approve() []stock.Goods {
	goods := summed(s.Goods)
	s.State, s.Goods = Approved, nil
	s.Untold = make([]Units, 0, len(goods))
	for _, g := range goods {
		s.Untold = append(s.Untold, Units{SKU: g.SKU, Units: g.Units})
	}
	return goods
}

// summed adds up the rows of one SKU, in the order of their first appearance.
// Rows of one barcode in a file agree in all but the quantity.
func summed(rows []stock.Goods) []stock.Goods {
	out := make([]stock.Goods, 0, len(rows))
	place := make(map[string]int, len(rows))
	for _, g := range rows {
		if i, seen := place[g.SKU]; seen {
			out[i].Units += g.Units
			continue
		}
		place[g.SKU] = len(out)
		out = append(out, g)
	}
	return out
}
