package ledger

import (
	"encoding/binary"
	"math"
	"strings"

	"github.com/cespare/xxhash/v2"
	"go.jetify.com/typeid/base32"
)

// fingerprint is what the ledger keeps of an id: its print, for short. Two of ten
// million orders of a campaign share one with a chance of 3 in a million; the later
// would count as a repeat of the earlier with another body, and its buyer would come
// again with another key. Prints stand in snapshots: the functions here never change.
type fingerprint uint64

func printOf(id string) fingerprint { return fingerprint(xxhash.Sum64String(id)) }

// key is an order's id in 16 bytes, from which the id can be told.
type key [16]byte

const idPrefix = "ord_"

// keyOf returns the key of an order id. An id that is not an order's TypeID has
// only its print for a key, and whole is false: whoever needs the id keeps it.
func keyOf(id string) (k key, whole bool) {
	if text, ok := strings.CutPrefix(id, idPrefix); ok {
		raw, err := base32.Decode(text)
		if err == nil && len(raw) == len(k) {
			k = key(raw)
			if k.tail() != math.MaxUint64 && base32.Encode(k) == text {
				return k, true
			}
		}
	}
	binary.BigEndian.PutUint64(k[:8], uint64(printOf(id)))
	binary.BigEndian.PutUint64(k[8:], math.MaxUint64)
	return k, false
}

func (k key) tail() uint64 { return binary.BigEndian.Uint64(k[8:]) }

// print returns what stands for the order in the table.
func (k key) print() fingerprint {
	if k.tail() == math.MaxUint64 {
		return fingerprint(binary.BigEndian.Uint64(k[:8]))
	}
	return fingerprint(xxhash.Sum64(k[:]))
}

// id returns the id of a whole key.
func (k key) id() string { return idPrefix + base32.Encode(k) }
