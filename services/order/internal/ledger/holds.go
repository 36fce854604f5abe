package ledger

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// hold is what an order keeps while it holds stock.
type hold struct {
	order    key
	account  fingerprint
	offset   int64
	deadline int64 // milliseconds since 1970
	// item and units are the one line of the order; a cart of several has item manyItems and 1 unit.
	item  uint32
	units uint32
}

const (
	manyItems = math.MaxUint32
	// chunkHolds is how many holds are allocated together.
	chunkHolds = 256

	// A hold's place is the number of its queue and its number there.
	queueBits = 8
	mostQueue = 1 << queueBits
	numberMax = 1<<(whereBits-queueBits) - 1
)

// holds are the open holds of a campaign, in queues by hold time: in each, who
// came first has the first deadline, because ledger time only goes forward. An
// order that is resolved before its deadline leaves a dead place behind until the
// deadline comes.
type holds struct {
	queues []*queue
	open   int
}

// queue holds all that are held for the same time. 36 bytes a hold; deadlines are
// kept once for all holds of one moment of ledger time.
type queue struct {
	millis      int64 // hold time; 0 for a queue that may be used again
	chunks      []*chunk
	first, next int // numbers of the oldest place and of the next
	open        int
	moments     []moment
}

type chunk struct {
	orders   [chunkHolds]key
	accounts [chunkHolds]fingerprint
	places   [chunkHolds]uint64 // offset and units, which are never 0; 0 is a dead place
	items    [chunkHolds]uint32
}

// moment is a deadline and the first place that has it.
type moment struct {
	number   int
	deadline int64
}

// unitBits of a place hold the units, the rest the offset: whereBits.
const unitBits = 64 - whereBits

// add keeps a hold that ends millis from now and returns its place.
func (h *holds) add(now, millis int64, one hold) (where, int64) {
	n := h.queue(millis)
	q := h.queues[n]
	one.deadline = now + q.millis
	if len(q.moments) == 0 || q.moments[len(q.moments)-1].deadline != one.deadline {
		q.moments = append(q.moments, moment{number: q.next, deadline: one.deadline})
	}
	if (q.next-q.base())/chunkHolds == len(q.chunks) {
		q.chunks = append(q.chunks, new(chunk))
	}
	c, i := q.at(q.next)
	c.orders[i], c.accounts[i] = one.order, one.account
	c.places[i] = uint64(one.offset)<<unitBits | uint64(one.units)
	c.items[i] = one.item
	w := where(n)<<(whereBits-queueBits) | where(q.next&numberMax)
	q.next++
	q.open++
	h.open++
	return w, one.deadline
}

// queue returns the number of the queue for a hold time. When all are in use, it
// is the one with the longest time that is not longer, else the shortest.
func (h *holds) queue(millis int64) int {
	spare, best := -1, -1
	for n, q := range h.queues {
		switch {
		case q.open > 0 && q.millis == millis:
			return n
		case q.open == 0:
			spare = n
		case best < 0 || better(q.millis, h.queues[best].millis, millis):
			best = n
		}
	}
	if spare < 0 && len(h.queues) == mostQueue {
		return best
	}
	if spare < 0 {
		h.queues = append(h.queues, nil)
		spare = len(h.queues) - 1
	}
	h.queues[spare] = &queue{millis: millis}
	return spare
}

// better reports whether a queue of time a serves a wish better than one of b.
func better(a, b, wish int64) bool {
	switch {
	case a <= wish && b <= wish:
		return a > b
	case a <= wish || b <= wish:
		return a <= wish
	}
	return a < b
}

// base is the number of the first place of the first chunk.
func (q *queue) base() int { return q.first / chunkHolds * chunkHolds }

func (q *queue) at(number int) (*chunk, int) {
	return q.chunks[(number-q.base())/chunkHolds], number % chunkHolds
}

// number turns the bits of a place back into a number: no more than numberMax
// places are in a queue at once.
func (q *queue) number(w where) int {
	return q.first + (int(w)-q.first)&numberMax
}

func (h *holds) find(w where) (*queue, int) {
	q := h.queues[w>>(whereBits-queueBits)]
	return q, q.number(w & numberMax)
}

func (h *holds) get(w where) hold {
	q, n := h.find(w)
	return q.get(n)
}

func (q *queue) get(number int) hold {
	c, i := q.at(number)
	m, found := slices.BinarySearchFunc(q.moments, number, func(m moment, n int) int { return m.number - n })
	if !found {
		m--
	}
	return hold{
		order: c.orders[i], account: c.accounts[i], offset: int64(c.places[i] >> unitBits), deadline: q.moments[m].deadline,
		item: c.items[i], units: uint32(c.places[i] & (1<<unitBits - 1)),
	}
}

// remove ends a hold.
func (h *holds) remove(w where) {
	q, n := h.find(w)
	c, i := q.at(n)
	c.places[i] = 0
	q.open--
	h.open--
	q.tidy()
}

// tidy drops the dead places in front.
func (q *queue) tidy() {
	if q.open == 0 {
		q.chunks, q.moments, q.first = nil, nil, q.next
		return
	}
	for {
		c, i := q.at(q.first)
		if c.places[i] != 0 {
			break
		}
		q.first++
		if q.first%chunkHolds == 0 {
			q.chunks = slices.Delete(q.chunks, 0, 1)
		}
	}
	for len(q.moments) > 1 && q.moments[1].number <= q.first {
		q.moments = slices.Delete(q.moments, 0, 1)
	}
}

// soonest returns the open hold that ends first; of those that end together, the
// one that came first.
func (h *holds) soonest() (hold, bool) {
	var first hold
	found := false
	for _, q := range h.queues {
		if q.open == 0 {
			continue
		}
		one := q.get(q.first)
		if !found || one.deadline < first.deadline || one.deadline == first.deadline && one.offset < first.offset {
			first, found = one, true
		}
	}
	return first, found
}

// sorted returns the queues that hold something, by hold time.
func (h *holds) sorted() []*queue {
	used := slices.DeleteFunc(slices.Clone(h.queues), func(q *queue) bool { return q.open == 0 })
	slices.SortFunc(used, func(a, b *queue) int { return cmp.Compare(a.millis, b.millis) })
	return used
}

// each goes through the open holds of a queue as they came.
func (q *queue) each(do func(hold)) {
	for n := q.first; n < q.next; n++ {
		if c, i := q.at(n); c.places[i] != 0 {
			do(q.get(n))
		}
	}
}

func timeOf(millis int64) time.Time { return time.UnixMilli(millis).UTC() }
