package eventkit

import "context"

// lookBackWindow is how many offsets the first look back takes in; each further one takes twice as
// many, so that a busy source costs one small read and a silent one reads the log once.
const lookBackWindow = 256

// LastEvent returns the newest event of a source ("order/3") in a partition, false if it has none.
// A relay goes on behind it. Where another relay repeats itself at the end of the log, it may be
// an event before the newest: what is published again then is dropped by readers.
func (c *Conn) LastEvent(ctx context.Context, topic string, partition int, source string) (Event, bool, error) {
	newest, _, found, err := c.LastEventSince(ctx, topic, partition, source, 0)
	return newest.Event, found, err
}

// LastEventSince is LastEvent among the records from an offset on, and the offset up to which they
// were looked through: who remembers that reads no record twice, however silent a source is among
// others. The end is before the offset where the log has lost what it held.
func (c *Conn) LastEventSince(ctx context.Context, topic string, partition int, source string, since int64) (newest Record, end int64, found bool, err error) {
	first, end, err := c.offsets(ctx, topic, partition)
	if err != nil {
		return Record{}, 0, false, err
	}
	h := newHindsight(end)
	from := max(first, since)
	for !h.reaches(from) {
		if err := h.extend(ctx, c, topic, partition, from); err != nil {
			return Record{}, 0, false, err
		}
		if newest, found := h.newest[source]; found {
			return newest.Record, end, true, nil
		}
	}
	return Record{}, end, false, nil
}

// hindsight is what stands in a stretch of a partition that is looked through backwards: the event of
// each source that stands highest there. What is learnt of one source on the way to another's stays,
// so that a partition is read once at most, however many sources it has.
type hindsight struct {
	from   int64 // up to here nothing was looked at
	window int64
	newest map[string]sighting // by source
}

type sighting struct {
	Record
	at Position
}

// newHindsight has looked at nothing yet; the stretch ends before an offset.
func newHindsight(to int64) *hindsight {
	return &hindsight{from: to, window: lookBackWindow, newest: map[string]sighting{}}
}

// reaches reports whether all from an offset on has been looked at.
func (h *hindsight) reaches(offset int64) bool { return h.from <= offset }

// extend looks further back, at most to an offset.
func (h *hindsight) extend(ctx context.Context, c *Conn, topic string, partition int, floor int64) error {
	next := max(floor, h.from-h.window)
	middle, end := next, h.from
	for next < end {
		records, err := c.Fetch(ctx, topic, partition, next)
		if err != nil {
			return err
		}
		if len(records) == 0 {
			break // only offsets without records are left
		}
		for _, r := range records {
			if r.Offset >= end {
				break
			}
			h.see(r)
		}
		next = records[len(records)-1].Offset + 1
	}
	h.from, h.window = middle, 2*h.window
	return nil
}

func (h *hindsight) see(r Record) {
	p, err := r.Event.Position()
	if err != nil {
		return
	}
	if before, known := h.newest[p.Source]; !known || p.After(before.at) {
		h.newest[p.Source] = sighting{r, p}
	}
}
