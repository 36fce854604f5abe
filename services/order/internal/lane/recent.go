package lane

import (
	"sync"
	"time"

	"github.com/qingcang/qingcang/proto/lane/record"
)

// recentOrders is how many entries a lane keeps beside the log, so that an order
// that is paid within minutes is not read again. About 4 MB when full.
const recentOrders = 8_192

// recentFor is how long they are kept when no more come: a process may run hundreds of lanes whose sales are over.
const recentFor = 15 * time.Minute

// recent keeps the newest orders' entries by offset. It is safe for concurrent use.
type recent struct {
	mu    sync.Mutex
	slots []kept // by offset modulo its length; nil until the first
	last  time.Time
}

type kept struct {
	offset int64
	asked  *record.Place
}

func (r *recent) put(offset int64, asked *record.Place) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = time.Now()
	if r.slots == nil {
		r.slots = make([]kept, recentOrders)
	}
	r.slots[offset%recentOrders] = kept{offset, asked}
}

func (r *recent) get(offset int64) (*record.Place, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.slots == nil {
		return nil, false
	}
	k := r.slots[offset%recentOrders]
	return k.asked, k.offset == offset && k.asked != nil
}

// clear forgets everything: the log means something else now, or nobody will ask.
func (r *recent) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.slots = nil
}

// clearIdle forgets everything if nothing came for long.
func (r *recent) clearIdle() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.last) > recentFor {
		r.slots = nil
	}
}
