package auth

import (
	"hash/maphash"
	"sync/atomic"
	"time"
)

const (
	// rememberedTokens bounds the memory of good tokens: a buyer comes many times in a sale, and checking
	// a token from scratch costs as much as everything else that the door does for an order.
	rememberedTokens = 1 << 15
	// rememberedBytes is the longest token that is remembered; with the bound above and with what tokens say,
	// 64 MiB at the worst.
	rememberedBytes = 1 << 10
)

// verified remembers tokens that were found good, by all of their bytes. It belongs to one set of keys and
// is gone with it; a forged token never gets in. A token has one pair of slots, which the last two that
// came there hold: nothing grows, and nothing has to be thrown out. With one slot each, six of a hundred
// among 2,000 buyers would push each other out. It is safe for concurrent use.
type verified struct {
	seed  maphash.Seed // nobody outside can aim at a slot
	slots []slots
}

// slots are those of a pair, the newer first.
type slots [2]atomic.Pointer[goodToken]

// goodToken is a token that passed every check. Those that depend on the time are made again at each use:
// outside of [from, until) the token is checked from scratch, and refused there.
type goodToken struct {
	token, audience string
	from, until     time.Time
	claims          Claims
}

func newVerified() *verified {
	return &verified{seed: maphash.MakeSeed(), slots: make([]slots, rememberedTokens/len(slots{}))}
}

func (v *verified) of(token string) *slots {
	return &v.slots[maphash.String(v.seed, token)%uint64(len(v.slots))]
}

// find returns what a token says if it was found good before and still is at now.
func (v *verified) find(audience, token string, now time.Time) (Claims, bool) {
	pair := v.of(token)
	for i := range pair {
		if g := pair[i].Load(); g != nil && g.says(audience, token, now) {
			return g.claims, true
		}
	}
	return Claims{}, false
}

func (g *goodToken) says(audience, token string, now time.Time) bool {
	return g.token == token && g.audience == audience && !now.Before(g.from) && now.Before(g.until)
}

func (v *verified) remember(g *goodToken) {
	if len(g.token) > rememberedBytes {
		return
	}
	pair := v.of(g.token)
	pair[1].Store(pair[0].Swap(g)) // two at a time may push one more out, which costs it a check
}
