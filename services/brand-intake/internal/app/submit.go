package app

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/qingcang/qingcang/services/brand-intake/internal/brand"
	"github.com/qingcang/qingcang/services/brand-intake/internal/intake"
	"github.com/qingcang/qingcang/services/brand-intake/internal/registry"
	"github.com/qingcang/qingcang/services/brand-intake/internal/stockfile"
	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/journal"
)

const (
	submitRoute = "POST /v1/brands/{brandId}/submissions"
	// chunkRows bounds the good rows, and the faults, of one fact.
	chunkRows = 500
	// giveUpTimeout bounds the clearing up behind a request that is over.
	giveUpTimeout = 5 * time.Second
	// otherTimeout bounds the wait for another upload of the same file.
	otherTimeout = 20 * time.Second
	// otherPause is the time between looks for its end.
	otherPause = 50 * time.Millisecond
)

// Upload is a stock file as it is being sent.
type Upload struct {
	BrandID, Key string
	Body         io.Reader
	// Compressed says that the body is gzip.
	Compressed bool
}

// Submit reads a stock file and keeps its good rows as they come; the file
// counts when it was read to its end. A file that is here already is read to
// compare its bytes, and changes nothing.
func (a *App) Submit(ctx context.Context, p auth.Principal, u Upload) (Submission, error) {
	if err := visible(p, u.BrandID, brand.ErrUnknown); err != nil {
		return Submission{}, err
	}
	file, err := stockfile.Open(u.Body, u.Compressed)
	if err != nil {
		return Submission{}, err
	}
	id := derive("sub", p, submitRoute, u.BrandID, u.Key)
	attempt, repeated, err := a.beginUpload(ctx, u.BrandID, id)
	if err != nil {
		return Submission{}, err
	}
	if repeated {
		return a.sameAgain(ctx, u.BrandID, id, file)
	}
	up := &upload{app: a, brandID: u.BrandID, id: id, attempt: attempt}
	err = up.read(ctx, file)
	switch {
	case errors.Is(err, intake.ErrSuperseded):
		return a.sameAgain(ctx, u.BrandID, id, file)
	case err != nil:
		up.giveUp(ctx)
		return Submission{}, err
	}
	return a.submission(ctx, u.BrandID, id)
}

// beginUpload returns the number of this attempt, or that the file is here.
func (a *App) beginUpload(ctx context.Context, brandID, id string) (attempt int64, repeated bool, err error) {
	err = a.decide(ctx, brandID, func(e *registry.Entry, _ time.Time) ([]journal.Fact, error) {
		if err := e.Brand.MaySubmit(); err != nil {
			return nil, err
		}
		facts, err := intake.Begin(&e.Intake, brandID, id)
		attempt, repeated = e.Intake.Attempts+1, len(facts) == 0
		return facts, err
	})
	return attempt, repeated, err
}

// sameAgain compares a repeat with the file that counts: one that is here, or
// one that another request with the same key is sending at this moment.
func (a *App) sameAgain(ctx context.Context, brandID, id string, file *stockfile.File) (Submission, error) {
	for {
		_, err := file.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Submission{}, err
		}
	}
	if err := a.whenReceived(ctx, brandID, id); err != nil {
		return Submission{}, err
	}
	err := a.view(ctx, brandID, func(e *registry.Entry) error { return e.Intake.Get(id).Same(file.SHA256()) })
	if err != nil {
		return Submission{}, err
	}
	return a.submission(ctx, brandID, id)
}

// whenReceived waits until the file was read to its end, by whomever.
func (a *App) whenReceived(ctx context.Context, brandID, id string) error {
	ctx, cancel := context.WithTimeout(ctx, otherTimeout)
	defer cancel()
	for {
		here := false
		err := a.view(ctx, brandID, func(e *registry.Entry) error {
			sub := e.Intake.Get(id)
			if sub == nil {
				return intake.ErrSuperseded
			}
			here = sub.State != intake.Receiving
			return nil
		})
		if err != nil || here {
			return err
		}
		timer := time.NewTimer(otherPause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return intake.ErrSuperseded
		case <-timer.C:
		}
	}
}

// upload is one reading of one file.
type upload struct {
	app         *App
	brandID, id string
	attempt     int64

	rows           intake.Rows
	taken, refused int64
	faults         int
}

func (u *upload) read(ctx context.Context, file *stockfile.File) error {
	for {
		row, err := file.Next()
		if errors.Is(err, io.EOF) {
			return u.receive(ctx, file.SHA256())
		}
		if err != nil {
			return err
		}
		if len(u.rows.Goods) == chunkRows || len(u.rows.Faults)+len(row.Faults) > chunkRows {
			if err := u.flush(ctx); err != nil {
				return err
			}
		}
		u.keep(row)
	}
}

func (u *upload) keep(row stockfile.Result) {
	if len(row.Faults) == 0 {
		u.taken++
		u.rows.Goods = append(u.rows.Goods, row.Goods)
		return
	}
	u.refused++
	// Faults beyond what anybody is shown are counted and no more.
	some := row.Faults[:min(len(row.Faults), intake.MaxFaults-u.faults)]
	u.faults += len(some)
	u.rows.Faults = append(u.rows.Faults, some...)
}

func (u *upload) flush(ctx context.Context) error {
	if len(u.rows.Goods)+len(u.rows.Faults) == 0 {
		return nil
	}
	rows := u.rows
	u.rows = intake.Rows{}
	return u.app.decide(ctx, u.brandID, func(e *registry.Entry, _ time.Time) ([]journal.Fact, error) {
		return intake.Take(&e.Intake, u.brandID, u.id, u.attempt, rows)
	})
}

func (u *upload) receive(ctx context.Context, sha []byte) error {
	if err := u.flush(ctx); err != nil {
		return err
	}
	whole := intake.Whole{SHA256: sha, Taken: u.taken, Refused: u.refused}
	return u.app.decide(ctx, u.brandID, func(e *registry.Entry, _ time.Time) ([]journal.Fact, error) {
		return intake.Receive(&e.Intake, u.brandID, u.id, u.attempt, whole)
	})
}

// giveUp lets go of the rows of an upload that broke off. If it fails too, the
// rows wait until the file comes again or others push them out.
func (u *upload) giveUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveUpTimeout)
	defer cancel()
	_ = u.app.decide(ctx, u.brandID, func(e *registry.Entry, _ time.Time) ([]journal.Fact, error) {
		return intake.GiveUp(&e.Intake, u.brandID, u.id, u.attempt), nil
	})
}
