package lane

import (
	"context"
	"errors"

	"github.com/qingcang/qingcang/proto/eventkit"
	lanev1 "github.com/qingcang/qingcang/proto/gen/lane/v1"
	"github.com/qingcang/qingcang/services/order/internal/ledger"
)

// found is how far a lane's events were looked for in their topic, whose partition has
// other lanes' too. What was looked through once is not read again: a lane may be
// silent for a month beside others that sell.
type found struct {
	at       ledger.Position // of the newest; None for none
	offset   int64           // where it stands in EventTopic
	searched int64           // no newer one stands before this offset
}

func foundNothing() found { return found{at: ledger.None} }

// foundAtStart returns how far the lane's events are published, and the end of its
// log. What the snapshot remembers counts if it is still there. A log that is empty and was not is no new
// lane's: who reads it stops.
func (l *Lane) foundAtStart(ctx context.Context, begin saved) (newest found, end int64, err error) {
	events, err := l.conn.EndOffset(ctx, EventTopic, l.eventShard)
	if err != nil {
		return found{}, 0, err
	}
	if end, err = l.conn.EndOffset(ctx, l.topic, l.partition); err != nil {
		return found{}, 0, err
	}
	if end == 0 && begin.next == 0 { // so nothing before the end of the events, which was asked for first, is of this lane
		return found{at: ledger.None, searched: events}, 0, nil
	}
	known, err := l.stillThere(ctx, begin.found, events)
	if err != nil {
		return found{}, 0, err
	}
	newest, err = l.look(ctx, known)
	return newest, end, err
}

// stillThere returns what is remembered, or nothing if the topic has lost it.
func (l *Lane) stillThere(ctx context.Context, remembered found, end int64) (found, error) {
	if end < remembered.searched {
		return foundNothing(), nil
	}
	if remembered.at == ledger.None {
		return remembered, nil
	}
	r, err := l.conn.FetchOne(ctx, EventTopic, l.eventShard, remembered.offset)
	if errors.Is(err, eventkit.ErrTruncated) || err == nil && r.Event.ID != l.eventID(remembered.at) {
		return foundNothing(), nil
	}
	return remembered, err
}

// look goes on looking where known ends.
func (l *Lane) look(ctx context.Context, known found) (found, error) {
	r, end, ok, err := l.conn.LastEventSince(ctx, EventTopic, l.eventShard, l.source, known.searched)
	switch {
	case err != nil:
		return found{}, err
	case end < known.searched: // the topic has lost its end
		return l.look(ctx, foundNothing())
	}
	known.searched = end
	if !ok {
		return known, nil
	}
	at, err := positionOf(r.Event)
	if err != nil || !at.After(known.at) { // not after: a stale publisher repeats itself
		return known, err
	}
	return found{at: at, offset: r.Offset, searched: end}, nil
}

// positionOf is where the entry of an event stands, and its place among those of the entry.
func positionOf(e eventkit.Event) (ledger.Position, error) {
	p, err := e.Position()
	return ledger.Position{Offset: int64(p.Seq), Index: int(p.Index)}, err
}

// lastPublished asks the topic for the lane's newest event.
func (l *Lane) lastPublished(ctx context.Context) (ledger.Position, error) {
	newest, err := l.look(ctx, l.foundBefore())
	if err != nil {
		return ledger.None, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if newest.searched > l.found.searched {
		l.found = newest
	}
	return newest.at, nil
}

func (l *Lane) foundBefore() found {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.found
}

// encodeFound is what a snapshot keeps of it.
func (l *Lane) encodeFound(f found) *lanev1.Published {
	return &lanev1.Published{EventId: l.eventID(f.at), EventOffset: f.offset, Searched: f.searched}
}

// decodeFound reads what encodeFound wrote; what it cannot read is looked for again.
func decodeFound(p *lanev1.Published) found {
	f := found{at: ledger.None, offset: p.GetEventOffset(), searched: p.GetSearched()}
	if p.GetEventId() == "" {
		return f
	}
	at, err := positionOf(eventkit.Event{ID: p.GetEventId()})
	if err != nil {
		return foundNothing()
	}
	f.at = at
	return f
}
