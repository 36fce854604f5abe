// Package registry is the state of the brand journal: all that is known of the
// brands of one shard, folded from their facts.
package registry

import (
	"encoding/json"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	"github.com/qingcang/qingcang/services/brand-intake/internal/brand"
	"github.com/qingcang/qingcang/services/brand-intake/internal/intake"
	"github.com/qingcang/qingcang/services/brand-intake/internal/settlement"
	"github.com/qingcang/qingcang/services/brand-intake/internal/stock"
	"github.com/qingcang/qingcang/services/brand-intake/internal/trial"
	"github.com/qingcang/qingcang/services/internal/journal"
)

// Entry is all that is known of one brand. A campaign may name a brand that
// never applied: its entry holds the answer and nothing else.
type Entry struct {
	Brand    brand.Brand
	Intake   intake.Submissions
	Pool     stock.Pool
	Accounts settlement.Accounts
	Trials   trial.Styles
}

// Standing is whether the brand may give stock to campaigns.
func (e *Entry) Standing() stock.Standing {
	switch e.Brand.State {
	case brand.Approved:
		return stock.Open
	case brand.Suspended:
		return stock.Barred
	default:
		return stock.Absent
	}
}

// Registry is the state of one shard.
type Registry struct {
	Brands map[string]*Entry
	// KeyOwners has the brand of each API key's id.
	KeyOwners map[string]string
}

// Of returns what is known of a brand; of a stranger nothing is. The entry is
// for reading.
func (r *Registry) Of(brandID string) *Entry {
	if e, ok := r.Brands[brandID]; ok {
		return e
	}
	return &Entry{}
}

// Applied counts the brands whose application waits for operations.
func (r *Registry) Applied() int {
	n := 0
	for _, e := range r.Brands {
		if e.Brand.State == brand.Applied {
			n++
		}
	}
	return n
}

// Machine folds the facts of the brand journal.
type Machine struct{}

// New returns an empty registry.
func (Machine) New() *Registry {
	return &Registry{Brands: map[string]*Entry{}, KeyOwners: map[string]string{}}
}

// Apply takes one fact in. It depends on nothing but the facts before it.
func (Machine) Apply(r *Registry, f journal.Fact, _ journal.Meta) {
	id := Subject(f)
	e, ok := r.Brands[id]
	if !ok {
		e = &Entry{}
		r.Brands[id] = e
	}
	if issued, ok := f.(*brandv1.BrandKeyIssued); ok {
		r.KeyOwners[issued.GetKeyId()] = id
	}
	e.Brand.Fold(f)
	accepted, _ := e.Intake.Fold(f)
	e.Pool.Take(accepted)
	e.Pool.Fold(f)
	e.Accounts.Fold(f)
	e.Trials.Fold(f)
}

// snapshotVersion changes with what is folded; a snapshot of another version is not read, and the
// shard is folded from its journal.
const snapshotVersion = 2

var errSnapshotVersion = errors.New("a snapshot of another version")

type snapshot struct {
	Version int
	*Registry
}

// Encode writes a snapshot.
func (Machine) Encode(r *Registry) ([]byte, error) {
	data, err := json.Marshal(snapshot{snapshotVersion, r})
	if err != nil {
		return nil, fmt.Errorf("encode the registry: %w", err)
	}
	return data, nil
}

// Decode reads a snapshot.
func (m Machine) Decode(data []byte) (*Registry, error) {
	s := snapshot{Registry: m.New()}
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("decode the registry: %w", err)
	}
	if s.Version != snapshotVersion {
		return nil, errSnapshotVersion
	}
	return s.Registry, nil
}

// Subject returns the brand that a fact is about.
func Subject(f journal.Fact) string {
	switch f := f.(type) {
	case *brandv1.CampaignHeard:
		return f.GetDesired().GetBrandId()
	case interface{ GetBrandId() string }:
		return f.GetBrandId()
	}
	return ""
}

// Private reports the facts that nobody else needs: rows that operations have
// not approved, and what the brand's shard remembers of a campaign.
func Private(f proto.Message) bool {
	switch f.(type) {
	case *brandv1.SubmissionStarted, *brandv1.SubmissionRowsTaken, *brandv1.CampaignHeard:
		return true
	}
	return false
}
