package lane

import (
	"context"
	"sync"

	"github.com/qingcang/qingcang/services/order/internal/ledger"
)

// queueLength bounds the commands that wait to be appended: about a second of
// what one partition takes.
const queueLength = 4_096

// call is an entry of this process, from the caller to the answer.
type call struct {
	seq   uint32
	value []byte
	// untilDurable is a call that is answered as soon as its entry is in the log.
	untilDurable bool
	answered     chan answer // has room for one: nobody waits for a caller
	gone         bool        // answered or given up; the desk's lock guards it
}

// answer is what became of an entry: what it caused, or that it may not have
// come into the log.
type answer struct {
	events []ledger.Event
	err    error
}

// desk keeps the calls of a lane: those that wait to be appended, and all that
// wait for their answer. It is safe for concurrent use.
type desk struct {
	mu      sync.Mutex
	waiting []*call
	asked   map[uint32]*call // not answered yet
	last    uint32
	came    chan struct{} // has a value when calls came
	left    chan struct{} // closed and replaced when calls went on their way
	closed  bool          // nobody appends
}

func newDesk() *desk {
	return &desk{asked: map[uint32]*call{}, came: make(chan struct{}, 1), left: make(chan struct{})}
}

// number gives the next entry its number among this process's.
func (d *desk) number() uint32 {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last++
	return d.last
}

// put lets a call wait to be appended. When too many wait, a call that may be
// turned away is: errBusy; the others wait for a place.
func (d *desk) put(ctx context.Context, c *call, turnAway bool) error {
	for {
		d.mu.Lock()
		if d.closed {
			d.mu.Unlock()
			return errLog
		}
		if !full(len(d.waiting)) {
			d.waiting = append(d.waiting, c)
			d.asked[c.seq] = c
			d.mu.Unlock()
			select {
			case d.came <- struct{}{}:
			default:
			}
			return nil
		}
		left := d.left
		d.mu.Unlock()
		if turnAway {
			return errBusy
		}
		select {
		case <-left:
		case <-ctx.Done():
			return errTimeout.Wrap(ctx.Err())
		}
	}
}

// next waits for calls and takes as many as fit into one batch; nothing when ctx ends.
func (d *desk) next(ctx context.Context) []*call {
	for {
		if batch := d.take(); len(batch) > 0 {
			return batch
		}
		select {
		case <-d.came:
		case <-ctx.Done():
			return nil
		}
	}
}

// take leaves out who was answered or gave up while he waited: nothing of his is in
// the log, and what nobody waits for should hold no stock.
func (d *desk) take() (batch []*call) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, size := 0, 0
	for ; n < len(d.waiting) && len(batch) < maxBatchValues; n++ {
		c := d.waiting[n]
		if c.gone {
			continue
		}
		if size += len(c.value); size > maxBatchBytes && len(batch) > 0 {
			break
		}
		if batch == nil {
			batch = make([]*call, 0, min(len(d.waiting), maxBatchValues))
		}
		batch = append(batch, c)
	}
	if n == 0 {
		return nil
	}
	d.waiting = append([]*call(nil), d.waiting[n:]...)
	close(d.left)
	d.left = make(chan struct{})
	return batch
}

// answer answers a call, once; one that is not open any more was answered before
// or given up.
func (d *desk) answer(seq uint32, a answer) {
	d.mu.Lock()
	c, ok := d.asked[seq]
	if ok {
		c.gone = true
		delete(d.asked, seq)
	}
	d.mu.Unlock()
	if ok {
		c.answered <- a
	}
}

// giveUp forgets a call that nobody waits for any more. Its entry may count, if it
// is on its way.
func (d *desk) giveUp(c *call) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c.gone = true
	delete(d.asked, c.seq)
}

// failAll answers every open call with an error.
func (d *desk) failAll(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fail(err)
}

// fail is failAll under the lock.
func (d *desk) fail(err error) {
	for _, c := range d.asked {
		c.gone = true
		c.answered <- answer{err: err}
	}
	clear(d.asked)
}

// close answers all calls, and those to come, with errLog: who would append them has gone.
func (d *desk) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fail(errLog)
	d.closed, d.waiting = true, nil
	close(d.left) // who waits for a place hears of it
	d.left = make(chan struct{})
}

// open takes calls again.
func (d *desk) open() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = false
}
