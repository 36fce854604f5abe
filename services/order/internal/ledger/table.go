package ledger

import "math/bits"

// code is a state as the table keeps it; 0 is an empty slot. The codes stand in
// snapshots: they never change.
type code uint8

// where is the place of an order: its offset, or that of its hold among the holds.
// It has 36 bits: a lane ends after 68 thousand million entries.
type where uint64

const (
	whereBits = 36
	whereMask = 1<<whereBits - 1

	segmentBits = 6
	// smallest is the number of home slots of a segment's first table.
	smallest = 8
)

// table maps the prints of orders to a state and a place, 13 bytes a slot and no
// pointer. It is open addressing in key order: a key's home is proportional to the
// key, and a cluster is sorted, so that going through the slots goes through the
// keys, whatever order they came in (Amble and Knuth, Ordered hash tables, 1974).
// It is cut into segments, so that growing one is a pause of a few microseconds
// per thousand orders, not of all orders.
type table struct {
	segments *[1 << segmentBits]segment // nil while empty
	len      int
}

type segment struct {
	keys []fingerprint
	low  []uint32 // of the place
	high []uint8  // 4 bits of the place, then the code
	home int      // slots that are home to a key; what is behind takes the last cluster's overflow
	len  int
}

func (t *table) get(key fingerprint) (code, where, bool) {
	if t.segments == nil {
		return 0, 0, false
	}
	s := &t.segments[key>>(64-segmentBits)]
	i, found := s.find(key)
	if !found {
		return 0, 0, false
	}
	c, w := s.at(i)
	return c, w, true
}

// set inserts or replaces.
func (t *table) set(key fingerprint, c code, w where) {
	if t.segments == nil {
		t.segments = new([1 << segmentBits]segment)
	}
	s := &t.segments[key>>(64-segmentBits)]
	i, found := s.find(key)
	if !found {
		if s.len*5 >= s.home*4 || !s.insert(i, key) {
			s.grow()
			i, _ = s.find(key)
			for !s.insert(i, key) { // many keys at the end of a small table
				s.grow()
				i, _ = s.find(key)
			}
		}
		s.len++
		t.len++
	}
	s.put(i, c, w)
}

// reserve makes room for n keys that are spread evenly.
func (t *table) reserve(n int) {
	if n == 0 || t.segments != nil {
		return
	}
	t.segments = new([1 << segmentBits]segment)
	for i := range t.segments {
		t.segments[i].resize(max(smallest, n>>segmentBits*3/2))
	}
}

// each goes through the table in the order of the keys.
func (t *table) each(do func(key fingerprint, c code, w where)) {
	if t.segments == nil {
		return
	}
	for n := range t.segments {
		s := &t.segments[n]
		for i := range s.keys {
			if c, w := s.at(i); c != 0 {
				do(s.keys[i], c, w)
			}
		}
	}
}

func (s *segment) at(i int) (code, where) {
	return code(s.high[i] >> 4), where(s.high[i]&15)<<32 | where(s.low[i])
}

func (s *segment) put(i int, c code, w where) {
	s.low[i], s.high[i] = uint32(w), uint8(w>>32)&15|uint8(c)<<4
}

// homeOf is proportional to the key's bits behind those that chose the segment.
func (s *segment) homeOf(key fingerprint) int {
	high, _ := bits.Mul64(uint64(key)<<segmentBits, uint64(s.home))
	return int(high)
}

// find returns the slot of a key, or the slot where it belongs.
func (s *segment) find(key fingerprint) (at int, found bool) {
	for i := s.homeOf(key); ; i++ {
		if i >= len(s.keys) || s.high[i] < 1<<4 || s.keys[i] > key {
			return i, false
		}
		if s.keys[i] == key {
			return i, true
		}
	}
}

// insert makes room for a key in the slot where it belongs; false if the cluster
// has come to the end.
func (s *segment) insert(at int, key fingerprint) bool {
	end := at
	for end < len(s.keys) && s.high[end] >= 1<<4 {
		end++
	}
	if end >= len(s.keys) {
		return false
	}
	copy(s.keys[at+1:end+1], s.keys[at:end])
	copy(s.low[at+1:end+1], s.low[at:end])
	copy(s.high[at+1:end+1], s.high[at:end])
	s.keys[at] = key
	return true
}

// resize gives the segment new, empty slots.
func (s *segment) resize(home int) {
	slots := home + 16 + home/32
	s.home, s.keys, s.low, s.high = home, make([]fingerprint, slots), make([]uint32, slots), make([]uint8, slots)
}

// grow moves everything, in order, into half as many slots again.
func (s *segment) grow() {
	old := *s
	s.resize(max(smallest, old.home+old.home/2))
	slots, next := len(s.keys), 0
	for i := range old.keys {
		if old.high[i] < 1<<4 {
			continue
		}
		next = max(next, s.homeOf(old.keys[i]))
		if next >= slots { // as good as impossible: a cluster longer than the overflow
			*s = old
			s.home = max(smallest, old.home+old.home/2)
			s.grow()
			return
		}
		s.keys[next], s.low[next], s.high[next] = old.keys[i], old.low[i], old.high[i]
		next++
	}
}
