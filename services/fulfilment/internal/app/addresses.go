package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	"github.com/nyaruka/phonenumbers"

	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/ids"
	"github.com/qingcang/qingcang/services/internal/vault"
)

// errAddressNotBuyers does not tell an address of somebody else from none: the buyer chose the id.
var errAddressNotBuyers = fault.New(fault.Conflict, "address_not_buyers",
	"the order names no address of its buyer; report all of it as short, and the buyer is refunded")

// addressKind is the kind of value in the vault.
const addressKind = "address"

// Address is where a parcel goes. It is personal: it stays between the door and the vault.
type Address struct {
	City     string `json:"city"`
	District string `json:"district"`
	Name     string `json:"name"`
	Phone    string `json:"phone"`
	Province string `json:"province"`
	Street   string `json:"street"`
}

// AddAddress keeps a buyer's address and returns the id that stands for it. The key makes a repeat
// return the same id; with another address it is refused.
func (a *App) AddAddress(ctx context.Context, scope, buyer, key string, address Address) (string, error) {
	number, err := phonenumbers.Parse(address.Phone, "CN")
	if err != nil || !phonenumbers.IsValidNumber(number) {
		return "", fault.New(fault.Invalid, "request_invalid", "the address has a fault").
			With(fault.Field{Pointer: "/phone", Detail: "is not a phone number that can be called"})
	}
	address.Phone = phonenumbers.Format(number, phonenumbers.E164)
	plaintext, err := json.Marshal(address)
	if err != nil {
		return "", fault.New(fault.Internal, "address", "the address could not be encoded").Wrap(err)
	}
	id := ids.Derive("addr", scope, "POST /v1/addresses", "", key)
	if err := a.vault.PutWithID(ctx, id, buyer, addressKind, plaintext); err != nil {
		return "", err
	}
	kept, err := a.vault.Get(ctx, id) // the first value stays under an id
	if err != nil {
		return "", err
	}
	if !bytes.Equal(kept, plaintext) {
		return "", fault.New(fault.Unprocessable, "idempotency_key_reused", "this Idempotency-Key came before with another body; use a new one")
	}
	return id, nil
}

// address reads an address out of the vault if it is the buyer's own: an order could name
// somebody else's id.
func (a *App) address(ctx context.Context, buyer, id string) (Address, error) {
	owner, err := a.vault.Owner(ctx, id)
	if errors.Is(err, vault.ErrUnknown) || err == nil && owner != buyer {
		return Address{}, errAddressNotBuyers
	}
	if err != nil {
		return Address{}, err
	}
	plaintext, err := a.vault.Get(ctx, id)
	if err != nil {
		return Address{}, err
	}
	var out Address
	if err := json.Unmarshal(plaintext, &out); err != nil {
		return Address{}, fault.New(fault.Internal, "address", "the kept address cannot be read").Wrap(err)
	}
	return out, nil
}
