package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/qingcang/qingcang/services/brand-intake/internal/brand"
	"github.com/qingcang/qingcang/services/brand-intake/internal/intake"
	"github.com/qingcang/qingcang/services/brand-intake/internal/registry"
	"github.com/qingcang/qingcang/services/brand-intake/internal/settlement"
	"github.com/qingcang/qingcang/services/brand-intake/internal/stock"
	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/internal/vault"
)

// Operations is the role of staff who take brands and goods in.
const Operations = "operations"

var errNoStatement = fault.New(fault.NotFound, "statement_unknown", "the brand has no campaign of this uid")

// Brand is a brand as it is shown.
type Brand struct {
	ID, Name string
	State    brand.State
	Reason   string
	KeyIDs   []string
	// Contact is for staff of operations alone, nil for the others and when it was erased.
	Contact *Contact
}

// Submission is a stock file as it is shown, without its goods.
type Submission struct {
	ID, BrandID    string
	State          intake.State
	Reason         string
	Taken, Refused int64
	Faults         []intake.Fault
}

// StockItem is a SKU of the pool as it is shown.
type StockItem struct {
	stock.Item
	// TrialIndexTenths is what trial users think of its style; nil before its first trial.
	TrialIndexTenths *int32
}

// Page asks for the items behind After, at most Limit.
type Page struct {
	After string
	Limit int
}

// Brand shows one brand.
func (a *App) Brand(ctx context.Context, p auth.Principal, brandID string) (Brand, error) {
	if err := visible(p, brandID, brand.ErrUnknown); err != nil {
		return Brand{}, err
	}
	b, err := a.brand(ctx, brandID)
	if err != nil || !p.Is(Operations) {
		return b, err
	}
	b.Contact, err = a.contact(ctx, brandID)
	return b, err
}

func (a *App) brand(ctx context.Context, brandID string) (Brand, error) {
	var b Brand
	err := a.view(ctx, brandID, func(e *registry.Entry) error {
		if !e.Brand.Known() {
			return brand.ErrUnknown
		}
		b = Brand{ID: e.Brand.ID, Name: e.Brand.Name, State: e.Brand.State, Reason: e.Brand.Reason, KeyIDs: e.Brand.ValidKeys()}
		return nil
	})
	return b, err
}

func (a *App) contact(ctx context.Context, brandID string) (*Contact, error) {
	var id string
	err := a.view(ctx, brandID, func(e *registry.Entry) error {
		id = e.Brand.ContactID
		return nil
	})
	if err != nil {
		return nil, err
	}
	data, err := a.contacts.Get(ctx, id)
	if errors.Is(err, vault.ErrErased) || errors.Is(err, vault.ErrUnknown) {
		return nil, nil // nobody to show is an answer, not a fault
	}
	if err != nil {
		return nil, err
	}
	c := &Contact{}
	if err := json.Unmarshal(data, c); err != nil {
		return nil, fmt.Errorf("decode a contact: %w", err)
	}
	return c, nil
}

// Brands shows a page of all brands, by id, of one state or of any.
func (a *App) Brands(ctx context.Context, state brand.State, page Page) (items []Brand, next string, err error) {
	for _, route := range journal.Routes() {
		err := a.journal.View(ctx, route, func(r *registry.Registry) {
			for id, e := range r.Brands {
				if id > page.After && e.Brand.Known() && (state == "" || e.Brand.State == state) {
					items = append(items, Brand{ID: id, Name: e.Brand.Name, State: e.Brand.State})
				}
			}
		})
		if err != nil {
			return nil, "", err
		}
	}
	slices.SortFunc(items, func(x, y Brand) int { return cmp.Compare(x.ID, y.ID) })
	if len(items) > page.Limit {
		items = items[:page.Limit]
		next = items[page.Limit-1].ID
	}
	return items, next, nil
}

// Submission shows one stock file.
func (a *App) Submission(ctx context.Context, p auth.Principal, brandID, id string) (Submission, error) {
	if err := visible(p, brandID, intake.ErrUnknown); err != nil {
		return Submission{}, err
	}
	return a.submission(ctx, brandID, id)
}

func (a *App) submission(ctx context.Context, brandID, id string) (Submission, error) {
	var s Submission
	err := a.view(ctx, brandID, func(e *registry.Entry) error {
		sub := e.Intake.Get(id)
		if sub == nil {
			return intake.ErrUnknown
		}
		s = Submission{
			ID: id, BrandID: brandID, State: sub.State, Reason: sub.Reason,
			Taken: sub.Taken, Refused: sub.Refused, Faults: slices.Clone(sub.Faults),
		}
		return nil
	})
	return s, err
}

// Stock shows a page of a brand's pool, by SKU.
func (a *App) Stock(ctx context.Context, p auth.Principal, brandID string, page Page) (items []StockItem, next string, err error) {
	if err := visible(p, brandID, brand.ErrUnknown); err != nil {
		return nil, "", err
	}
	err = a.view(ctx, brandID, func(e *registry.Entry) error {
		if !e.Brand.Known() {
			return brand.ErrUnknown
		}
		skus := slices.Sorted(maps.Keys(e.Pool.Items))
		from, found := slices.BinarySearch(skus, page.After)
		if found {
			from++
		}
		skus = skus[from:]
		if len(skus) > page.Limit {
			skus = skus[:page.Limit]
			next = skus[page.Limit-1]
		}
		for _, sku := range skus {
			item := StockItem{Item: *e.Pool.Items[sku]}
			if t, tried := e.Trials.Newest(item.Goods.StyleNo); tried {
				item.TrialIndexTenths = &t.IndexTenths
			}
			items = append(items, item)
		}
		return nil
	})
	return items, next, err
}

// Statement shows what a campaign means for the brand: of one that has had
// stock or has sold, else there is none.
func (a *App) Statement(ctx context.Context, p auth.Principal, brandID, campaignUID string) (settlement.Statement, error) {
	if err := visible(p, brandID, errNoStatement); err != nil {
		return settlement.Statement{}, err
	}
	var s settlement.Statement
	err := a.view(ctx, brandID, func(e *registry.Entry) error {
		account, sold := e.Accounts.ByCampaign[campaignUID]
		if _, known := e.Pool.Campaigns[campaignUID]; !known && !sold {
			return errNoStatement
		}
		s = account.Statement()
		return nil
	})
	return s, err
}
