package journal

import (
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

// commandsIn counts those that are not looks.
func commandsIn[S any](taken []decided[S]) (n int) {
	for _, d := range taken {
		if d.command.Decide != nil {
			n++
		}
	}
	return n
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
	failed := map[*strand]error{} // in this round; it may be decided again
	total := 0
	for i, w := range round {
		d, bytes := s.decideOne(w, failed, now)
		if total+bytes > maxBatchBytes {
			return out, round[i:]
		}
		if d.err != nil && w.strand != nil {
			failed[w.strand] = d.err
		}
		total += bytes
		out = append(out, d)
	}
	return out, nil
}

// decideOne also returns how many bytes of a batch the facts take.
func (s *shard[S]) decideOne(w *waiter[S], failed map[*strand]error, now time.Time) (d decided[S], bytes int) {
	d.waiter = w
	switch {
	case w.command.Decide == nil:
		return d, 0
	case w.strand != nil && w.strand.err != nil:
		d.err = w.strand.err
		return d, 0
	case failed[w.strand] != nil: // there is none for no strand
		d.err = failed[w.strand]
		return d, 0
	case s.past(w.command.Heard):
		return d, 0
	}
	facts, err := w.command.Decide(s.state, now)
	if err == nil {
		bytes, err = s.weigh(facts)
	}
	if err != nil {
		d.err = err
		return d, 0
	}
	d.facts = facts
	return d, bytes
}

// weigh refuses facts that no batch or no topic could take.
func (s *shard[S]) weigh(facts []Fact) (bytes int, err error) {
	const around = 128 // type, subject and trace of an event
	for _, f := range facts {
		size := proto.Size(f) + around
		if size > maxFactBytes && !s.cfg.Private(f) {
			return 0, fmt.Errorf("journal %s: a %s has %d bytes, more than the %d that a topic takes",
				s.name, f.ProtoReflect().Descriptor().FullName(), size, maxFactBytes)
		}
		bytes += size
	}
	if bytes > maxBatchBytes {
		return 0, fmt.Errorf("journal %s: the %d facts of a command have %d bytes, more than the %d of a batch", s.name, len(facts), bytes, maxBatchBytes)
	}
	return bytes, nil
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
