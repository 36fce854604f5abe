// Package ids makes identifiers: TypeIDs, whose prefix says what they name
// ("ord_2x4y6z8a0b1c2d3e4f5g6h7j8k"). An id is at most 32 characters, so that
// it serves as WeChat Pay's out_trade_no too.
package ids

import (
	"crypto/sha256"
	"encoding/binary"
	"hash/fnv"

	"go.jetify.com/typeid"

	"github.com/qingcang/qingcang/services/internal/fault"
)

// MaxPrefix is the longest prefix: 5 + "_" + 26 = 32 characters.
const MaxPrefix = 5

// New returns a random id that sorts by the time of its making. The prefix is
// a constant of the program: New panics if it is not 1 to 5 lower-case letters.
func New(prefix string) string {
	mustPrefix(prefix)
	id, err := typeid.WithPrefix(prefix)
	if err != nil {
		panic("ids: " + err.Error()) // only for a bad prefix, which was just checked, or no randomness
	}
	return id.String()
}

// Derive returns the id that belongs to these parts: the same parts give the
// same id in every replica and for ever, and the id tells neither the parts
// nor how many there are. It is the id of what a retried command makes.
func Derive(prefix string, parts ...string) string {
	mustPrefix(prefix)
	h := sha256.New()
	var length [8]byte
	for _, p := range parts {
		// The length goes first, so that ("ab","c") and ("a","bc") differ.
		binary.BigEndian.PutUint64(length[:], uint64(len(p)))
		h.Write(length[:])
		h.Write([]byte(p))
	}
	id, err := typeid.FromUUIDBytesWithPrefix(prefix, h.Sum(nil)[:16])
	if err != nil {
		panic("ids: " + err.Error())
	}
	return id.String()
}

// Check refuses what is not an id with this prefix.
func Check(prefix, id string) error {
	if len(id) > MaxPrefix+27 {
		return errID(prefix)
	}
	parsed, err := typeid.FromString(id)
	if err != nil || parsed.Prefix() != prefix {
		return errID(prefix)
	}
	return nil
}

func errID(prefix string) error {
	return fault.Newf(fault.Invalid, "bad_id", "an id that begins with %q and has 26 more characters is wanted", prefix+"_")
}

// BodyHash is 64 bits of the SHA-256 of a request body. It tells whether an
// idempotency key came with another body; it is no defence against an attacker,
// who could only deceive himself.
func BodyHash(body []byte) uint64 {
	sum := sha256.Sum256(body)
	return binary.BigEndian.Uint64(sum[:8])
}

// Shard returns the shard of a key, 0 to shards-1, by FNV-1a. Journals and
// partitions are laid out by it: neither the function nor a shard count ever
// changes. It panics if shards is not positive.
func Shard(key string, shards int) int {
	if shards <= 0 {
		panic("ids: a shard count is positive")
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(key)) // never fails
	return int(h.Sum64() % uint64(shards))
}

func mustPrefix(prefix string) {
	if prefix == "" || len(prefix) > MaxPrefix {
		panic("ids: a prefix has 1 to 5 letters, not " + prefix)
	}
	for i := range len(prefix) {
		if prefix[i] < 'a' || prefix[i] > 'z' {
			panic("ids: a prefix is lower-case letters, not " + prefix)
		}
	}
}
