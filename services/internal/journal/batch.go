package journal

import (
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/qingcang/qingcang/proto/eventkit"
	journalv1 "github.com/qingcang/qingcang/proto/gen/journal/v1"
)

// decided is a waiter with what its command came to under the state of now.
type decided[S any] struct {
	*waiter[S]
	facts []Fact
	err   error
}

// choose splits the waiting commands into those of this round and the rest, each in order. One key
// has one command in a round. Once a source's command has to wait, all later ones of that source
// wait behind it: positions are kept as one number.
func choose[S any](waiting []*waiter[S]) (now, later []*waiter[S]) {
	keys, held := map[string]bool{}, map[string]bool{}
	for _, w := range waiting {
		if w.command.Decide == nil {
			now = append(now, w)
			continue
		}
		heard := w.command.Heard
		if len(now) >= maxBatchCommands || keys[w.command.Key] || heard != nil && held[heard.Source] {
			if heard != nil {
				held[heard.Source] = true
			}
			later = append(later, w)
			continue
		}
		keys[w.command.Key] = true
		now = append(now, w)
	}
	return now, later
}

// decide runs the commands of a round against one state. The bytes that a batch may hold are not
// known before: what goes over is put back.
func (s *shard[S]) decide(round []*waiter[S], now time.Time) (out []decided[S], over []*waiter[S]) {
	size := 0
	for i, w := range round {
		d := decided[S]{waiter: w}
		if w.command.Decide != nil && !s.past(w.command.Heard) {
			if d.err = s.behindFailure(w.command.Heard); d.err == nil {
				d.facts, d.err = w.command.Decide(s.state, now)
				s.noteFailure(w.command.Heard, d.err)
			}
		}
		bytes := 0
		for _, f := range d.facts {
			bytes += proto.Size(f) + 128
		}
		if bytes > maxBatchBytes {
			d.facts, d.err = nil, fmt.Errorf("journal %s: the facts of %q are %d bytes, a batch takes %d", s.name, w.command.Key, bytes, maxBatchBytes)
			bytes = 0
		}
		if size+bytes > maxBatchBytes {
			return out, round[i:]
		}
		size += bytes
		out = append(out, d)
	}
	return out, nil
}

// errBehindFailure is the fault of an event that stands behind one that could not be taken in.
var errBehindFailure = errors.New("an event before it in its source was not taken in")

// noteFailure remembers the first event of a source whose decision failed, and forgets it when it
// has succeeded. A source's position is one number: an event behind the failed one must not move it.
func (s *shard[S]) noteFailure(heard *eventkit.Position, err error) {
	if heard == nil {
		return
	}
	if err != nil {
		s.failed[heard.Source] = *heard
	} else if s.failed[heard.Source] == *heard {
		delete(s.failed, heard.Source)
	}
}

func (s *shard[S]) behindFailure(heard *eventkit.Position) error {
	if heard == nil {
		return nil
	}
	if failed, ok := s.failed[heard.Source]; ok && !s.past(&failed) && heard.After(failed) {
		return fmt.Errorf("%s stands behind %s: %w", heard, failed, errBehindFailure)
	}
	return nil
}

// past reports whether the shard has taken the event in before.
func (s *shard[S]) past(heard *eventkit.Position) bool {
	if heard == nil {
		return false
	}
	last, ok := s.heard[heard.Source]
	return ok && !heard.After(last)
}

// encode makes the batch document of what was decided, nil when there are no facts.
func (s *shard[S]) encode(taken []decided[S], batchID string, now time.Time) (*journalv1.Batch, error) {
	batch := &journalv1.Batch{BatchId: batchID, DecidedAt: timestamppb.New(now)}
	heard := map[string]eventkit.Position{}
	var sources []string
	for _, d := range taken {
		if d.err != nil {
			continue
		}
		for _, f := range d.facts {
			data, err := proto.MarshalOptions{Deterministic: true}.Marshal(f)
			if err != nil {
				return nil, fmt.Errorf("encode %s: %w", f.ProtoReflect().Descriptor().FullName(), err)
			}
			batch.Events = append(batch.Events, &journalv1.Event{
				Type: string(f.ProtoReflect().Descriptor().FullName()), Subject: s.cfg.Subject(f), Data: data,
				Private: s.cfg.Private(f), Traceparent: d.command.Traceparent,
			})
		}
		if p := d.command.Heard; p != nil && !s.past(p) {
			if _, seen := heard[p.Source]; !seen {
				sources = append(sources, p.Source)
			}
			heard[p.Source] = *p // commands of one source stand in order
		}
	}
	for _, source := range sources {
		p := heard[source]
		batch.Heard = append(batch.Heard, &journalv1.Position{Source: p.Source, Seq: p.Seq, Index: p.Index})
	}
	if len(batch.Events) == 0 {
		return nil, nil // positions without facts are not worth a write: deciding again gives nothing again
	}
	return batch, nil
}

// decodeFact turns a stored event back into the message.
func decodeFact(e *journalv1.Event) (Fact, error) {
	kind, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(e.GetType()))
	if err != nil {
		return nil, fmt.Errorf("unknown fact type %q: this binary is older than the journal", e.GetType())
	}
	m := kind.New().Interface()
	if err := proto.Unmarshal(e.GetData(), m); err != nil {
		return nil, fmt.Errorf("decode a %s: %w", e.GetType(), err)
	}
	return m, nil
}
