// Package vault keeps personal data: names, phones, addresses. Each person has
// a key of their own; erasing the person is destroying the key, after which no
// copy of the data anywhere, backups included, can be read. Everything outside
// the vault carries the opaque id of a value.
//
// It needs inserts, finds by _id and one delete by _id, each atomic on its own.
package vault

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/ids"
	"github.com/qingcang/qingcang/services/internal/mongokit"
)

const (
	// MaxPlaintextBytes bounds a value.
	MaxPlaintextBytes = 16 << 10
	// maxNameBytes bounds ids, persons and kinds.
	maxNameBytes = 128
)

// The faults of the vault.
var (
	ErrUnknown = fault.New(fault.NotFound, "personal_data_unknown", "there is no such entry")
	ErrErased  = fault.New(fault.Gone, "personal_data_erased", "the entry was erased at its owner's request")
	ErrTaken   = fault.New(fault.Conflict, "personal_data_id_taken", "this id belongs to another entry")
	errInput   = fault.New(fault.Invalid, "personal_data_invalid", "an entry has an id, a person and a kind of 1 to 128 bytes, and 1 to 16384 bytes of data")
)

// Vault stores encrypted values in two collections, <name>_keys and
// <name>_values. It keeps no key in memory: an erasure by one replica holds for
// all of them at once.
type Vault struct {
	keys, values *mongo.Collection
	kek          *KEK
}

// Open returns the vault of this name.
func Open(db *mongo.Database, name string, kek *KEK) *Vault {
	return &Vault{keys: db.Collection(name + "_keys"), values: db.Collection(name + "_values"), kek: kek}
}

type valueDoc struct {
	ID     string `bson:"_id"`
	Person string `bson:"person"`
	Kind   string `bson:"kind"`
	// KeyID names the person's key at that time: after an erasure a person may
	// come back and get another one.
	KeyID      string `bson:"keyId"`
	Ciphertext []byte `bson:"ciphertext"`
}

// Put stores a value under a new id.
func (v *Vault) Put(ctx context.Context, person, kind string, plaintext []byte) (id string, err error) {
	id = ids.New("pd")
	return id, v.PutWithID(ctx, id, person, kind, plaintext)
}

// PutWithID stores a value under an id that the caller derived (ids.Derive), so
// that a repeat stores nothing twice: if the id is there for the same person
// and kind, nothing happens and the first value stays.
func (v *Vault) PutWithID(ctx context.Context, id, person, kind string, plaintext []byte) error {
	if !named(id) || !named(person) || !named(kind) || len(plaintext) == 0 || len(plaintext) > MaxPlaintextBytes {
		return errInput
	}
	key, err := v.keyFor(ctx, person)
	if err != nil {
		return err
	}
	ciphertext, err := key.aead.Encrypt(plaintext, binding(id, person, kind))
	if err != nil {
		return fmt.Errorf("vault: encrypt: %w", err)
	}
	_, err = v.values.InsertOne(ctx, valueDoc{ID: id, Person: person, Kind: kind, KeyID: key.id, Ciphertext: ciphertext})
	if !mongo.IsDuplicateKeyError(err) {
		return mongokit.Fault(err)
	}
	there, err := v.find(ctx, id)
	if err != nil {
		return err
	}
	if there.Person != person || there.Kind != kind {
		return ErrTaken
	}
	return nil
}

// Get returns a value, ErrUnknown, or ErrErased.
func (v *Vault) Get(ctx context.Context, id string) ([]byte, error) {
	doc, err := v.find(ctx, id)
	if err != nil {
		return nil, err
	}
	key, err := v.findKey(ctx, doc.Person)
	if err != nil {
		return nil, err
	}
	if key.id != doc.KeyID {
		return nil, ErrErased
	}
	plaintext, err := key.aead.Decrypt(doc.Ciphertext, binding(doc.ID, doc.Person, doc.Kind))
	if err != nil {
		return nil, fmt.Errorf("vault: decrypt %s: %w", id, err)
	}
	return plaintext, nil
}

// Owner returns the person a value belongs to, for an access check without
// reading it.
func (v *Vault) Owner(ctx context.Context, id string) (person string, err error) {
	doc, err := v.find(ctx, id)
	return doc.Person, err
}

func (v *Vault) find(ctx context.Context, id string) (valueDoc, error) {
	var doc valueDoc
	err := v.values.FindOne(ctx, bson.D{{Key: "_id", Value: id}}).Decode(&doc)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return valueDoc{}, ErrUnknown
	}
	return doc, mongokit.Fault(err)
}

func named(s string) bool { return s != "" && len(s) <= maxNameBytes }

// binding is authenticated with a value, so that a ciphertext that is moved to
// another person, kind or id does not decrypt.
func binding(parts ...string) []byte {
	var b []byte
	for _, p := range parts {
		b = binary.BigEndian.AppendUint32(b, uint32(len(p)))
		b = append(b, p...)
	}
	return b
}
