package ledger

import "math"

// account is what one buyer has in one campaign.
type account struct {
	units uint32 // held and bought
	held  uint32 // unpaid
	// spoilt counts the orders that ended unpaid since the last paid one, up to mostSpoilt.
	spoilt uint8
}

// What it costs to hold and not to pay. Somebody who changes his mind hardly
// notices; somebody who parks stock soon parks one unit for a minute.
const (
	mostSpoilt = 8
	// spoiltUnits stands in for the limit of a campaign that has none, as soon as an
	// account has spoilt an order: 32 units after the first, 16 after the second.
	spoiltUnits = 64
	// shortestHold is the time under which a hold is not cut, in seconds: enough to pay.
	shortestHold = 60
)

// mayHold is how many units an account may hold unpaid; limit is the campaign's, 0 for none.
func (a account) mayHold(limit int64) int64 {
	if limit == 0 {
		if a.spoilt == 0 {
			return math.MaxUint32
		}
		limit = spoiltUnits
	}
	return max(1, limit>>a.spoilt)
}

// mayHave is how many units an account may hold and buy; limit is the campaign's, 0 for none.
func (a account) mayHave(limit int64) int64 {
	if limit == 0 {
		return math.MaxUint32
	}
	return min(limit, math.MaxUint32)
}

// holdSeconds is how long an account's next hold lasts; base is the campaign's time in
// seconds. A base that is shorter than shortestHold is not cut.
func (a account) holdSeconds(base int64) int64 {
	return max(min(base, shortestHold), base>>a.spoilt)
}

// accountOf is the print of a buyer; the table of a campaign has its own accounts.
func accountOf(buyerID string) fingerprint { return printOf(buyerID) }

// keep writes an account back; one that says nothing is forgotten.
func (c *campaign) keep(p fingerprint, a account) {
	if a == (account{}) {
		delete(c.accounts, p)
		return
	}
	c.accounts[p] = a
}
