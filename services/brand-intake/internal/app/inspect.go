package app

import (
	"context"
	"time"

	"github.com/qingcang/qingcang/services/brand-intake/internal/brand"
	"github.com/qingcang/qingcang/services/brand-intake/internal/intake"
	"github.com/qingcang/qingcang/services/brand-intake/internal/registry"
	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/journal"
)

// ApproveSubmission puts the goods of a file into the brand's pool and tells
// the others. Only the first is what counts; the telling goes on from wherever
// it stopped, here or in TellRest.
func (a *App) ApproveSubmission(ctx context.Context, staff auth.Principal, brandID, id string) (Submission, error) {
	err := a.decide(ctx, brandID, func(e *registry.Entry, _ time.Time) ([]journal.Fact, error) {
		if !e.Brand.Known() {
			return nil, brand.ErrUnknown
		}
		if err := e.Brand.MaySubmit(); err != nil {
			return nil, err
		}
		return intake.Approve(&e.Intake, brandID, id, staff.ID)
	})
	if err != nil {
		return Submission{}, err
	}
	if err := a.tell(ctx, brandID, id); err != nil {
		return Submission{}, err
	}
	return a.submission(ctx, brandID, id)
}

// RejectSubmission decides that nothing of a file counts.
func (a *App) RejectSubmission(ctx context.Context, staff auth.Principal, brandID, id, reason string) (Submission, error) {
	err := a.decide(ctx, brandID, func(e *registry.Entry, _ time.Time) ([]journal.Fact, error) {
		if !e.Brand.Known() {
			return nil, brand.ErrUnknown
		}
		return intake.Reject(&e.Intake, brandID, id, staff.ID, reason)
	})
	if err != nil {
		return Submission{}, err
	}
	return a.submission(ctx, brandID, id)
}

// tell publishes the goods of an approved file, piece by piece.
func (a *App) tell(ctx context.Context, brandID, id string) error {
	for {
		told := 0
		err := a.decide(ctx, brandID, func(e *registry.Entry, _ time.Time) ([]journal.Fact, error) {
			facts := intake.Tell(&e.Intake, &e.Pool, brandID, e.Brand.Name, id)
			told = len(facts)
			return facts, nil
		})
		if err != nil || told == 0 {
			return err
		}
	}
}

// TellRest goes on with what a replica that died had not told. It is cheap when
// there is nothing to do.
func (a *App) TellRest(ctx context.Context) error {
	type untold struct{ brandID, id string }
	var rest []untold
	for _, route := range journal.Routes() {
		err := a.journal.View(ctx, route, func(r *registry.Registry) {
			for brandID, e := range r.Brands {
				for id, sub := range e.Intake.ByID {
					if len(sub.Untold) > 0 {
						rest = append(rest, untold{brandID, id})
					}
				}
			}
		})
		if err != nil {
			return err
		}
	}
	for _, u := range rest {
		if err := a.tell(ctx, u.brandID, u.id); err != nil {
			return err
		}
	}
	return nil
}
