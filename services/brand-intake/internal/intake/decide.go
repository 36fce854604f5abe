package intake

import (
	"bytes"

	"google.golang.org/protobuf/proto"

	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	"github.com/qingcang/qingcang/services/brand-intake/internal/stock"
	"github.com/qingcang/qingcang/services/internal/fault"
)

const (
	// PieceGoods is how many SKUs one GoodsApproved holds at most.
	PieceGoods = 200
	// pieceBytes keeps a GoodsApproved well under a Kafka message.
	pieceBytes = 512 << 10
	// tellPieces bounds what one decision tells: at most 2 MiB of facts.
	tellPieces = 4
)

// The faults of this package that others ask for.
var (
	ErrUnknown    = fault.New(fault.NotFound, "submission_unknown", "the brand has no such submission")
	ErrKeyReused  = fault.New(fault.Unprocessable, "idempotency_key_reused", "this Idempotency-Key came before with another file")
	ErrSuperseded = fault.New(fault.Conflict, "submission_superseded", "another upload with this Idempotency-Key was begun later and has not ended; send the file again with the same key")

	errWaiting  = fault.Newf(fault.Conflict, "too_many_submissions", "%d submissions or %d rows of the brand wait for operations; they decide on some first", MaxWaiting, MaxWaitingRows)
	errUnread   = fault.New(fault.Conflict, "submission_not_received", "the file was not read to its end; it can be neither approved nor rejected")
	errRejected = fault.New(fault.Conflict, "submission_rejected", "the submission was rejected; the brand submits anew")
	errApproved = fault.New(fault.Conflict, "submission_approved", "the submission was approved; its goods stand in the pool")
)

// Begin decides that an upload starts, or starts anew. A file that was read to
// its end is not begun again: the caller compares it with what is there.
func Begin(s *Submissions, brandID, id string) ([]proto.Message, error) {
	if sub := s.Get(id); sub != nil && sub.State != Receiving {
		return nil, nil
	}
	waiting, rows := 0, 0
	for _, sub := range s.ByID {
		if sub.State == Received {
			waiting++
			rows += len(sub.Goods)
		}
	}
	if waiting >= MaxWaiting || rows >= MaxWaitingRows {
		return nil, errWaiting
	}
	return []proto.Message{&brandv1.SubmissionStarted{SubmissionId: id, BrandId: brandID}}, nil
}

// Rows are some rows of a file, as read.
type Rows struct {
	Goods  []stock.Goods
	Faults []Fault
}

// Take decides that rows of an upload are kept.
func Take(s *Submissions, brandID, id string, attempt int64, rows Rows) ([]proto.Message, error) {
	if _, err := s.running(id, attempt); err != nil {
		return nil, err
	}
	f := &brandv1.SubmissionRowsTaken{SubmissionId: id, BrandId: brandID}
	for _, g := range rows.Goods {
		f.Goods = append(f.Goods, g.Message())
	}
	for _, fault := range rows.Faults {
		f.Faults = append(f.Faults, &brandv1.RowFault{Row: fault.Row, Column: fault.Column, Reason: fault.Reason})
	}
	return []proto.Message{f}, nil
}

// Whole is what is known of a file that was read to its end.
type Whole struct {
	SHA256         []byte
	Taken, Refused int64
}

// Receive decides that the file is whole and counts.
func Receive(s *Submissions, brandID, id string, attempt int64, whole Whole) ([]proto.Message, error) {
	if _, err := s.running(id, attempt); err != nil {
		return nil, err
	}
	return []proto.Message{&brandv1.SubmissionReceived{
		SubmissionId: id, BrandId: brandID, ContentSha256: whole.SHA256, RowsTaken: whole.Taken, RowsRefused: whole.Refused,
	}}, nil
}

// GiveUp forgets the rows of an upload that broke off. There is nothing left to
// do if another upload has begun meanwhile.
func GiveUp(s *Submissions, brandID, id string, attempt int64) []proto.Message {
	sub, err := s.running(id, attempt)
	if err != nil || len(sub.Goods)+len(sub.Faults) == 0 {
		return nil
	}
	return []proto.Message{&brandv1.SubmissionStarted{SubmissionId: id, BrandId: brandID}}
}

// running returns the submission if this attempt may still write to it.
func (s *Submissions) running(id string, attempt int64) (*Submission, error) {
	sub := s.Get(id)
	if sub == nil || sub.State != Receiving || sub.Attempt != attempt {
		return nil, ErrSuperseded
	}
	return sub, nil
}

// Same refuses a repeat whose bytes are not those of the first time.
func (s *Submission) Same(sha []byte) error {
	if !bytes.Equal(s.SHA256, sha) {
		return ErrKeyReused
	}
	return nil
}

// Approve takes the goods in. This one fact puts all of them into the pool;
// GoodsApproved tells of them afterwards, in pieces.
func Approve(s *Submissions, brandID, id, by string) ([]proto.Message, error) {
	sub := s.Get(id)
	switch {
	case sub == nil:
		return nil, ErrUnknown
	case sub.State == Receiving:
		return nil, errUnread
	case sub.State == Rejected:
		return nil, errRejected
	case sub.State == Approved:
		return nil, nil
	}
	return []proto.Message{&brandv1.SubmissionApproved{SubmissionId: id, BrandId: brandID, ApprovedBy: by}}, nil
}

// Reject decides that nothing of the submission counts.
func Reject(s *Submissions, brandID, id, by, reason string) ([]proto.Message, error) {
	sub := s.Get(id)
	switch {
	case sub == nil:
		return nil, ErrUnknown
	case sub.State == Receiving:
		return nil, errUnread
	case sub.State == Approved:
		return nil, errApproved
	case sub.State == Rejected:
		return nil, nil
	}
	return []proto.Message{&brandv1.SubmissionRejected{SubmissionId: id, BrandId: brandID, RejectedBy: by, Reason: reason}}, nil
}

// Tell makes the next GoodsApproved of a submission, each SKU with what the
// pool knows of it now. No facts means that all has been told.
func Tell(s *Submissions, pool *stock.Pool, brandID, brandName, id string) []proto.Message {
	sub := s.Get(id)
	if sub == nil {
		return nil
	}
	var facts []proto.Message
	for rest := sub.Untold; len(rest) > 0 && len(facts) < tellPieces; {
		piece := &brandv1.GoodsApproved{SubmissionId: id, BrandId: brandID, BrandName: brandName}
		size := 0
		for len(rest) > 0 && len(piece.GetGoods()) < PieceGoods && size < pieceBytes {
			m := describe(pool, rest[0])
			size += proto.Size(m)
			piece.Goods = append(piece.Goods, m)
			rest = rest[1:]
		}
		facts = append(facts, piece)
	}
	return facts
}

func describe(pool *stock.Pool, u Units) *brandv1.Goods {
	goods := stock.Goods{SKU: u.SKU}
	if item, ok := pool.Items[u.SKU]; ok {
		goods = item.Goods
	}
	goods.Units = u.Units
	return goods.Message()
}
