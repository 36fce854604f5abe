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
	// rememberedBytes is the longest token that is remembered; with the bound above, 32 MiB at the worst.
	rememberedBytes = 1 << 10
)

// verified remembers tokens that were found good, by all of their bytes. It belongs to one set of keys and
// is gone with it; a forged token never gets in. A token has one slot, which the last that came there
// holds: nothing grows, and nothing has to be thrown out. It is safe for concurrent use.
type verified struct {
	seed  maphash.Seed // nobody outside can aim at a slot
	slots []atomic.Pointer[goodToken]
}

// goodToken is a token that passed every check. Those that depend on the time are made again at each use:
// outside of [from, until) the token is checked from scratch, and refused there.
type goodToken struct {
	token, audience string
	from, until     time.Time
	claims          Claims
}

func newVerified() *verified {
	return &verified{seed: maphash.MakeSeed(), slots: make([]atomic.Pointer[goodToken], rememberedTokens)}
}

func (v *verified) slot(token string) *atomic.Pointer[goodToken] {
	return &v.slots[maphash.String(v.seed, token)%rememberedTokens]
}

// find returns what a token says if it was found good before and still is at now.
func (v *verified) find(audience, token string, now time.Time) (Claims, bool) {
	g := v.slot(token).Load()
	if g == nil || g.token != token || g.audience != audience || now.Before(g.from) || !now.Before(g.until) {
		return Claims{}, false
	}
	return g.claims, true
}

func (v *verified) remember(g *goodToken) {
	if len(g.token) <= rememberedBytes {
		v.slot(g.token).Store(g)
	}
}
