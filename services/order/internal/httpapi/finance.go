package httpapi

import (
	"context"
	"time"

	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/order/internal/payment"
)

// RefundDesk has the refunds that finance looks after.
type RefundDesk interface {
	Refunds(ctx context.Context, stage payment.RefundStage, after string) ([]payment.FinanceRefund, error)
	Resolve(ctx context.Context, refundID string, r payment.Resolution) error
}

// BillDesk has what came of the provider's bills.
type BillDesk interface {
	Day(ctx context.Context, date string) (*orderv1.BillReconciled, error)
}

// Finance serves the routes of finance.
type Finance struct {
	refunds RefundDesk
	bills   BillDesk
}

// NewFinance returns the routes of finance.
func NewFinance(refunds RefundDesk, bills BillDesk) *Finance {
	return &Finance{refunds: refunds, bills: bills}
}

// ListRefunds lists refunds by where they stand.
func (f *Finance) ListRefunds(ctx context.Context, r ListRefundsRequestObject) (ListRefundsResponseObject, error) {
	after := ""
	if r.Params.After != nil {
		after = *r.Params.After
	}
	refunds, err := f.refunds.Refunds(ctx, payment.RefundStage(r.Params.State), after)
	if err != nil {
		return nil, err
	}
	page := ListRefunds200JSONResponse{Refunds: make([]Refund, 0, len(refunds))}
	for _, refund := range refunds {
		page.Refunds = append(page.Refunds, shownRefund(refund))
	}
	return page, nil
}

// ResolveRefund takes down what finance did.
func (f *Finance) ResolveRefund(ctx context.Context, r ResolveRefundRequestObject) (ResolveRefundResponseObject, error) {
	staff, ok := auth.PrincipalFrom(ctx)
	if !ok {
		return nil, auth.ErrNoCredentials
	}
	err := f.refunds.Resolve(ctx, r.RefundID, payment.Resolution{
		How: payment.How(r.Body.How), Reference: r.Body.Reference, StaffID: staff.ID,
	})
	if err != nil {
		return nil, err
	}
	return ResolveRefund204Response{}, nil
}

// GetReconciliation shows a day's comparison.
func (f *Finance) GetReconciliation(ctx context.Context, r GetReconciliationRequestObject) (GetReconciliationResponseObject, error) {
	report, err := f.bills.Day(ctx, r.Date)
	if err != nil {
		return nil, err
	}
	return GetReconciliation200JSONResponse(shownReport(report)), nil
}

func shownRefund(r payment.FinanceRefund) Refund {
	out := Refund{
		RefundID: r.ID, OrderID: r.OrderID, CampaignUID: r.CampaignUID, Fen: int64(r.Fen), Reason: r.Reason,
		State: RefundState(r.Stage), OutRefundNo: r.Number(), TransactionID: r.Of.TransactionID,
		AcceptedAt: shownTime(r.AcceptedAt), Since: shownTime(r.Since),
	}
	if r.Trouble != "" {
		trouble := RefundTrouble(r.Trouble)
		out.Trouble = &trouble
	}
	if r.Resolution.How != "" {
		out.Resolution = &Resolution{How: ResolutionHow(r.Resolution.How), Reference: r.Resolution.Reference}
	}
	return out
}

// shownTime leaves out a time that is not known.
func shownTime(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	at = at.UTC()
	return &at
}

func shownReport(b *orderv1.BillReconciled) Reconciliation {
	out := Reconciliation{
		Date: b.GetDate(), Provider: shownSide(b.GetProvider()), Journal: shownSide(b.GetJournal()), Elsewhere: shownSide(b.GetElsewhere()),
		Counts:      make([]DifferenceCount, 0, len(b.GetCounts())),
		Differences: make([]BillDifference, 0, len(b.GetDifferences())),
	}
	for _, c := range b.GetCounts() {
		out.Counts = append(out.Counts, DifferenceCount{Kind: DifferenceKind(c.GetKind()), Count: c.GetCount(), Fen: c.GetFen()})
	}
	for _, d := range b.GetDifferences() {
		out.Differences = append(out.Differences, BillDifference{
			Kind: DifferenceKind(d.GetKind()), Entry: BillDifferenceEntry(d.GetEntry()), Number: d.GetNumber(),
			TransactionID: d.GetTransactionId(), OrderID: d.GetOrderRef(), ProviderFen: d.GetProviderFen(), JournalFen: d.GetJournalFen(),
			ProviderState: d.GetProviderState(), JournalState: d.GetJournalState(),
		})
	}
	return out
}

func shownSide(s *orderv1.BillSide) BillSide {
	return BillSide{
		Payments: s.GetPayments(), PaidFen: s.GetPaidFen(), Refunds: s.GetRefunds(), RefundedFen: s.GetRefundedFen(),
	}
}
