package vault

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"
	"github.com/tink-crypto/tink-go/v2/tink"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/qingcang/qingcang/services/internal/ids"
	"github.com/qingcang/qingcang/services/internal/mongokit"
)

type keyDoc struct {
	Person  string `bson:"_id"`
	ID      string `bson:"keyId"`
	KEK     string `bson:"kek"`
	Wrapped []byte `bson:"wrapped"`
}

type personKey struct {
	id   string
	aead tink.AEAD
}

// keyFor returns a person's key, making it at their first value. Two replicas
// that make one at once agree by the insert: the loser takes the winner's.
func (v *Vault) keyFor(ctx context.Context, person string) (personKey, error) {
	key, err := v.findKey(ctx, person)
	if !errors.Is(err, ErrErased) {
		return key, err
	}
	secret := make([]byte, dataKeyBytes)
	_, _ = rand.Read(secret) // never fails
	doc := keyDoc{Person: person, ID: ids.New("pk"), KEK: v.kek.active}
	doc.Wrapped, err = v.kek.aeads[doc.KEK].Encrypt(secret, binding(doc.ID, person))
	if err != nil {
		return personKey{}, fmt.Errorf("vault: wrap a key: %w", err)
	}
	_, err = v.keys.InsertOne(ctx, doc)
	if mongo.IsDuplicateKeyError(err) {
		return v.findKey(ctx, person)
	}
	if err != nil {
		return personKey{}, mongokit.Fault(err)
	}
	return open(doc.ID, secret)
}

// findKey returns a person's key, or ErrErased if there is none.
func (v *Vault) findKey(ctx context.Context, person string) (personKey, error) {
	var doc keyDoc
	err := v.keys.FindOne(ctx, bson.D{{Key: "_id", Value: person}}).Decode(&doc)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return personKey{}, ErrErased
	}
	if err != nil {
		return personKey{}, mongokit.Fault(err)
	}
	kek, ok := v.kek.aeads[doc.KEK]
	if !ok {
		return personKey{}, fmt.Errorf("vault: the key file lacks key %q, which people's keys still need", doc.KEK)
	}
	secret, err := kek.Decrypt(doc.Wrapped, binding(doc.ID, person))
	if err != nil {
		return personKey{}, fmt.Errorf("vault: unwrap a key: %w", err)
	}
	return open(doc.ID, secret)
}

// Erase destroys a person's key: none of their values can be read again. It may
// be repeated.
func (v *Vault) Erase(ctx context.Context, person string) error {
	_, err := v.keys.DeleteOne(ctx, bson.D{{Key: "_id", Value: person}})
	return mongokit.Fault(err)
}

func open(id string, secret []byte) (personKey, error) {
	aead, err := subtle.NewAESGCM(secret)
	if err != nil {
		return personKey{}, fmt.Errorf("vault: a person's key: %w", err)
	}
	return personKey{id: id, aead: aead}, nil
}
