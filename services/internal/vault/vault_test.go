package vault_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/qingcang/qingcang/services/internal/keyfile"
	"github.com/qingcang/qingcang/services/internal/testkit"
	"github.com/qingcang/qingcang/services/internal/vault"
)

const address = "王小明 13800000000 浙江省杭州市西湖区文三路 1 号"

func kek(t *testing.T, active string, kids ...string) *vault.KEK {
	t.Helper()
	set := keyfile.Set{Active: active, Secrets: map[string][]byte{}}
	for _, kid := range append(kids, active) {
		set.Secrets[kid] = []byte(strings.Repeat(kid, 32/len(kid)))
	}
	k, err := vault.NewKEK(set)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestWhatIsPutIsGotByAnyReplica(t *testing.T) {
	db := testkit.Mongo(t)
	one, two := vault.Open(db, "buyers", kek(t, "k1")), vault.Open(db, "buyers", kek(t, "k1"))
	id, err := one.Put(t.Context(), "per_1", "address", []byte(address))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := two.Get(t.Context(), id); err != nil || string(got) != address {
		t.Fatalf("got %q, %v", got, err)
	}
	if person, err := two.Owner(t.Context(), id); err != nil || person != "per_1" {
		t.Fatalf("it belongs to %q, %v", person, err)
	}
}

func TestARepeatStoresNothingTwice(t *testing.T) {
	v := vault.Open(testkit.Mongo(t), "buyers", kek(t, "k1"))
	for range 2 {
		if err := v.PutWithID(t.Context(), "addr_1", "per_1", "address", []byte(address)); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct{ person, kind string }{
		"another person": {"per_2", "address"},
		"another kind":   {"per_1", "contact"},
	} {
		if err := v.PutWithID(t.Context(), "addr_1", c.person, c.kind, []byte("x")); !errors.Is(err, vault.ErrTaken) {
			t.Errorf("%s under the same id: got %v", name, err)
		}
	}
	if got, err := v.Get(t.Context(), "addr_1"); err != nil || string(got) != address {
		t.Fatalf("got %q, %v", got, err)
	}
}

func TestErasingAPersonErasesAllOfThemAndNobodyElse(t *testing.T) {
	db := testkit.Mongo(t)
	one, two := vault.Open(db, "buyers", kek(t, "k1")), vault.Open(db, "buyers", kek(t, "k1"))
	put := func(id, person string) {
		t.Helper()
		if err := one.PutWithID(t.Context(), id, person, "address", []byte(address)); err != nil {
			t.Fatal(err)
		}
	}
	put("a", "per_1")
	put("b", "per_1")
	put("c", "per_2")
	if _, err := two.Get(t.Context(), "a"); err != nil {
		t.Fatal(err) // the other replica has seen the key
	}
	for range 2 { // the second finds nothing to do
		if err := one.Erase(t.Context(), "per_1"); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"a", "b"} {
		if _, err := two.Get(t.Context(), id); !errors.Is(err, vault.ErrErased) {
			t.Errorf("%s after the erasure: %v", id, err)
		}
	}
	if _, err := two.Get(t.Context(), "c"); err != nil {
		t.Errorf("somebody else's: %v", err)
	}
	put("d", "per_1") // they come back, with another key
	if _, err := two.Get(t.Context(), "d"); err != nil {
		t.Error(err)
	}
	if _, err := two.Get(t.Context(), "a"); !errors.Is(err, vault.ErrErased) {
		t.Errorf("the old data came back: %v", err)
	}
}

func TestNothingIsStoredInTheClear(t *testing.T) {
	db := testkit.Mongo(t)
	v := vault.Open(db, "buyers", kek(t, "k1"))
	if err := v.PutWithID(t.Context(), "a", "per_1", "address", []byte(address)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"buyers_keys", "buyers_values"} {
		cursor, err := db.Collection(name).Find(t.Context(), bson.D{})
		if err != nil {
			t.Fatal(err)
		}
		documents := 0
		for ; cursor.Next(t.Context()); documents++ {
			for _, word := range []string{"王小明", "13800000000", "浙江"} {
				if bytes.Contains(cursor.Current, []byte(word)) {
					t.Errorf("%s holds %s", name, word)
				}
			}
		}
		if documents != 1 {
			t.Errorf("%s has %d documents", name, documents)
		}
	}
}

func TestACiphertextCannotBeMoved(t *testing.T) {
	for name, change := range map[string]bson.D{
		"to another id":   {{Key: "_id", Value: "b"}},
		"to another kind": {{Key: "_id", Value: "b"}, {Key: "kind", Value: "contact"}},
	} {
		t.Run(name, func(t *testing.T) {
			db := testkit.Mongo(t)
			v := vault.Open(db, "buyers", kek(t, "k1"))
			if err := v.PutWithID(t.Context(), "a", "per_1", "address", []byte(address)); err != nil {
				t.Fatal(err)
			}
			move(t, db.Collection("buyers_values"), change)
			if got, err := v.Get(t.Context(), "b"); err == nil || errors.Is(err, vault.ErrErased) {
				t.Fatalf("got %q, %v", got, err)
			}
		})
	}
}

// move copies document "a" with some fields changed, as somebody with access to
// the database could.
func move(t *testing.T, c *mongo.Collection, change bson.D) {
	t.Helper()
	var doc bson.M
	if err := c.FindOne(t.Context(), bson.D{{Key: "_id", Value: "a"}}).Decode(&doc); err != nil {
		t.Fatal(err)
	}
	for _, e := range change {
		doc[e.Key] = e.Value
	}
	if _, err := c.InsertOne(t.Context(), doc); err != nil {
		t.Fatal(err)
	}
}

func TestTheMasterKeyRotates(t *testing.T) {
	db := testkit.Mongo(t)
	if err := vault.Open(db, "buyers", kek(t, "k1")).PutWithID(t.Context(), "a", "per_1", "address", []byte(address)); err != nil {
		t.Fatal(err)
	}
	if got, err := vault.Open(db, "buyers", kek(t, "k2", "k1")).Get(t.Context(), "a"); err != nil || string(got) != address {
		t.Fatalf("with the old key in the file: %q, %v", got, err)
	}
	if _, err := vault.Open(db, "buyers", kek(t, "k2")).Get(t.Context(), "a"); err == nil || errors.Is(err, vault.ErrErased) {
		t.Fatalf("without it: %v", err)
	}
}

func TestManyFirstValuesOfOnePersonShareOneKey(t *testing.T) {
	v := vault.Open(testkit.Mongo(t), "buyers", kek(t, "k1"))
	ids := make([]string, 8)
	errs := make([]error, len(ids))
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() { ids[i], errs[i] = v.Put(context.Background(), "per_1", "address", []byte(address)) })
	}
	wg.Wait()
	for i, id := range ids {
		if errs[i] != nil {
			t.Fatal(errs[i])
		}
		if _, err := v.Get(t.Context(), id); err != nil {
			t.Errorf("value %d: %v", i, err)
		}
	}
}

func TestInputIsBounded(t *testing.T) {
	v := vault.Open(testkit.Mongo(t), "buyers", kek(t, "k1"))
	long := strings.Repeat("x", 129)
	for name, c := range map[string]struct {
		id, person, kind string
		size             int
	}{
		"no id":            {"", "p", "k", 1},
		"no person":        {"i", "", "k", 1},
		"no kind":          {"i", "p", "", 1},
		"a long id":        {long, "p", "k", 1},
		"no data":          {"i", "p", "k", 0},
		"too much of data": {"i", "p", "k", vault.MaxPlaintextBytes + 1},
	} {
		t.Run(name, func(t *testing.T) {
			if err := v.PutWithID(t.Context(), c.id, c.person, c.kind, make([]byte, c.size)); err == nil {
				t.Fatal("it was stored")
			}
		})
	}
	if _, err := v.Get(t.Context(), "nothing"); !errors.Is(err, vault.ErrUnknown) {
		t.Fatalf("got %v", err)
	}
}
