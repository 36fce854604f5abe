// Package brand decides who is a brand of the platform: application, approval,
// suspension and API keys. It is pure.
package brand

import (
	"strings"
	"unicode"

	"google.golang.org/protobuf/proto"

	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	"github.com/qingcang/qingcang/services/internal/fault"
)

// State is where a brand stands.
type State string

// The states of a brand. The zero value is a brand that never applied.
const (
	Applied   State = "applied"
	Approved  State = "approved"
	Suspended State = "suspended"
)

// MaxNameRunes bounds a brand's name.
const MaxNameRunes = 100

// The faults of this package.
var (
	ErrUnknown   = fault.New(fault.NotFound, "brand_unknown", "there is no such brand")
	ErrKeyReused = fault.New(fault.Unprocessable, "idempotency_key_reused", "this Idempotency-Key came before with another body")

	errName        = fault.New(fault.Invalid, "bad_name", "a brand's name has 1 to 100 characters and none of them is a control character")
	errSuspended   = fault.New(fault.Conflict, "brand_suspended", "the brand is suspended; nothing new of it is taken")
	errNotApproved = fault.New(fault.Conflict, "brand_not_approved", "the brand is not approved; operations approve it first")
)

// Brand is one brand, folded from its facts.
type Brand struct {
	ID        string
	Name      string
	ContactID string
	State     State
	// Reason is why it is suspended.
	Reason string
	// BodyHash is of what the application says in public, its name: it tells a
	// repeat from a reused key. The contact is compared in the vault.
	BodyHash uint64
	// Keys are all keys ever issued, by id.
	Keys map[string]Key
}

// Known reports whether the brand ever applied. A nil brand is unknown.
func (b *Brand) Known() bool { return b != nil && b.State != "" }

// Application is a wish to become a brand. The contact is in the vault already.
type Application struct {
	BrandID, Name, ContactID string
	BodyHash                 uint64
}

// Check refuses a name that cannot stand in lists and exports.
func (a Application) Check() error {
	name := strings.TrimSpace(a.Name)
	if name == "" || len([]rune(name)) > MaxNameRunes || strings.ContainsFunc(name, unicode.IsControl) {
		return errName.With(fault.Field{Pointer: "/name", Detail: errName.Detail})
	}
	return nil
}

// Apply decides an application. The id is derived from the caller's key, so a
// brand that is there already is a repeat, or another wish under the same key.
func Apply(b *Brand, a Application) ([]proto.Message, error) {
	if b.Known() {
		if b.BodyHash != a.BodyHash {
			return nil, ErrKeyReused
		}
		return nil, nil
	}
	if err := a.Check(); err != nil {
		return nil, err
	}
	return []proto.Message{&brandv1.BrandApplied{
		BrandId: a.BrandID, BrandName: strings.TrimSpace(a.Name), ContactId: a.ContactID, BodyHash: a.BodyHash,
	}}, nil
}

// Approve takes the brand in, or takes a suspended one back in.
func Approve(b *Brand, by string) ([]proto.Message, error) {
	switch {
	case !b.Known():
		return nil, ErrUnknown
	case b.State == Approved:
		return nil, nil
	}
	return []proto.Message{&brandv1.BrandApproved{BrandId: b.ID, ApprovedBy: by}}, nil
}

// Suspend stops everything new of the brand. A brand that only applied can be
// suspended too: that is how operations turn it down.
func Suspend(b *Brand, by, reason string) ([]proto.Message, error) {
	switch {
	case !b.Known():
		return nil, ErrUnknown
	case b.State == Suspended:
		return nil, nil
	}
	return []proto.Message{&brandv1.BrandSuspended{BrandId: b.ID, SuspendedBy: by, Reason: reason}}, nil
}

// Fold takes a fact into the brand and reports whether it was one of its own.
func (b *Brand) Fold(f proto.Message) bool {
	switch f := f.(type) {
	case *brandv1.BrandApplied:
		b.ID, b.Name, b.ContactID, b.BodyHash, b.State = f.GetBrandId(), f.GetBrandName(), f.GetContactId(), f.GetBodyHash(), Applied
	case *brandv1.BrandApproved:
		b.State, b.Reason = Approved, ""
	case *brandv1.BrandSuspended:
		b.State, b.Reason = Suspended, f.GetReason()
	case *brandv1.BrandKeyIssued:
		b.keep(f)
	case *brandv1.BrandKeyRevoked:
		b.revoke(f.GetKeyId())
	default:
		return false
	}
	return true
}

// MaySubmit refuses goods of a brand that is not taken in.
func (b *Brand) MaySubmit() error {
	switch b.State {
	case Approved:
		return nil
	case Suspended:
		return errSuspended
	case Applied:
		return errNotApproved
	}
	return ErrUnknown
}
