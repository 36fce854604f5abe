package eventkit

import "context"

// lookBackWindow is how many offsets the first look back takes in; each further one takes twice as
// many, so that a busy source costs one small read and a silent one reads the log once.
const lookBackWindow = 256

// LastEvent returns the newest event of a source ("order/3") in a partition, false if it has none.
// A relay goes on behind it. Where another relay repeats itself at the end of the log, it may be
// an event before the newest: what is published again then is dropped by readers.
func (c *Conn) LastEvent(ctx context.Context, topic string, partition int, source string) (Event, bool, error) {
	first, end, err := c.offsets(ctx, topic, partition)
	if err != nil {
		return Event{}, false, err
	}
	return c.newestBefore(ctx, topic, partition, stretch{first, end}, source, func(Position) bool { return true })
}

// stretch is the offsets [from, to) of a partition.
type stretch struct{ from, to int64 }

// newestBefore looks backwards through a stretch for the event of a source that stands highest
// there, until one is found that is high enough.
func (c *Conn) newestBefore(ctx context.Context, topic string, partition int, in stretch, source string, enough func(Position) bool) (newest Event, ok bool, err error) {
	var at Position
	for window := int64(lookBackWindow); in.to > in.from && (!ok || !enough(at)); window *= 2 {
		middle := max(in.from, in.to-window)
		event, p, found, err := c.newestIn(ctx, topic, partition, stretch{middle, in.to}, source)
		if err != nil {
			return Event{}, false, err
		}
		if found && (!ok || p.After(at)) {
			newest, at, ok = event, p, true
		}
		in.to = middle
	}
	return newest, ok, nil
}

func (c *Conn) newestIn(ctx context.Context, topic string, partition int, in stretch, source string) (newest Event, at Position, ok bool, err error) {
	for in.from < in.to {
		records, err := c.Fetch(ctx, topic, partition, in.from)
		if err != nil {
			return Event{}, Position{}, false, err
		}
		if len(records) == 0 {
			break // only offsets without records are left
		}
		for _, r := range records {
			if r.Offset >= in.to {
				break
			}
			p, err := r.Event.Position()
			if err == nil && p.Source == source && (!ok || p.After(at)) {
				newest, at, ok = r.Event, p, true
			}
		}
		in.from = records[len(records)-1].Offset + 1
	}
	return newest, at, ok, nil
}
