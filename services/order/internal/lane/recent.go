package lane

import (
	"sync"

	"github.com/qingcang/qingcang/proto/lane/record"
)

// recentOrders is how many entries a lane keeps beside the log, so that an order
// that is paid within minutes is not read again. About 4 MB when full.
const recentOrders = 8_192

// recent keeps the newest orders' entries by offset. It is safe for concurrent use.
type recent struct {
	mu    sync.Mutex
	slots []kept // by offset modulo its length; nil until the first
}

type kept struct {
	offset int64
	asked  *record.Place
}

func (r *recent) put(offset int64, asked *record.Place) {
	r.mu.Lock()
	defer r.mu.Unlock()
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

// clear forgets everything: the log means something else now.
func (r *recent) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.slots = nil
}
