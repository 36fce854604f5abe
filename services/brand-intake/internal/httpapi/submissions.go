package httpapi

import (
	"context"

	"github.com/qingcang/qingcang/services/brand-intake/internal/app"
)

// SubmitStock answers POST /v1/brands/{brandId}/submissions.
func (s *Server) SubmitStock(ctx context.Context, r SubmitStockRequestObject) (SubmitStockResponseObject, error) {
	encoding := r.Params.ContentEncoding
	sub, err := s.app.Submit(ctx, principal(ctx), app.Upload{
		BrandID: r.BrandId, Key: r.Params.IdempotencyKey, Body: r.Body, Compressed: encoding != nil && *encoding == Gzip,
	})
	if err != nil {
		return nil, err
	}
	return SubmitStock201JSONResponse(submissionOf(sub)), nil
}

// GetSubmission answers GET /v1/brands/{brandId}/submissions/{submissionId}.
func (s *Server) GetSubmission(ctx context.Context, r GetSubmissionRequestObject) (GetSubmissionResponseObject, error) {
	sub, err := s.app.Submission(ctx, principal(ctx), r.BrandId, r.SubmissionId)
	if err != nil {
		return nil, err
	}
	return GetSubmission200JSONResponse(submissionOf(sub)), nil
}

// ApproveSubmission answers POST /v1/brands/{brandId}/submissions/{submissionId}/approval.
func (s *Server) ApproveSubmission(ctx context.Context, r ApproveSubmissionRequestObject) (ApproveSubmissionResponseObject, error) {
	sub, err := s.app.ApproveSubmission(ctx, principal(ctx), r.BrandId, r.SubmissionId)
	if err != nil {
		return nil, err
	}
	return ApproveSubmission200JSONResponse(submissionOf(sub)), nil
}

// RejectSubmission answers POST /v1/brands/{brandId}/submissions/{submissionId}/rejection.
func (s *Server) RejectSubmission(ctx context.Context, r RejectSubmissionRequestObject) (RejectSubmissionResponseObject, error) {
	sub, err := s.app.RejectSubmission(ctx, principal(ctx), r.BrandId, r.SubmissionId, r.Body.Reason)
	if err != nil {
		return nil, err
	}
	return RejectSubmission200JSONResponse(submissionOf(sub)), nil
}

func submissionOf(s app.Submission) Submission {
	out := Submission{
		SubmissionId: s.ID, BrandId: s.BrandID, State: SubmissionStateName(s.State), Reason: optional(s.Reason),
		RowsTaken: s.Taken, RowsRefused: s.Refused, Faults: make([]RowFault, 0, len(s.Faults)),
	}
	for _, f := range s.Faults {
		out.Faults = append(out.Faults, RowFault{Row: f.Row, Column: f.Column, Reason: f.Reason})
	}
	return out
}
