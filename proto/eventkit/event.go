package eventkit

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// Event is one published fact in CloudEvents 1.0 terms. On Kafka it travels in binary content
// mode (CloudEvents Kafka protocol binding 1.0.2, section 3.2): attributes as ce_ headers, the
// protobuf message as the value, the subject as the key.
type Event struct {
	// ID is "<source>/<seq>/<index>"; ids of one source only grow.
	ID string
	// Prev is the id of the event that the same source published before, empty for its first.
	Prev string
	// Type is the full protobuf name of the message in Data.
	Type        string
	Subject     string
	Time        time.Time
	Traceparent string
	Data        []byte
}

// ErrUndecodable marks bytes that are no event of this suite. A reader parks them.
var ErrUndecodable = errors.New("undecodable event")

// Decode returns the message. The packages of its possible types must be linked in.
func (e Event) Decode() (proto.Message, error) {
	kind, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(e.Type))
	if err != nil {
		return nil, fmt.Errorf("%w: %s of unknown type %q", ErrUndecodable, e.ID, e.Type)
	}
	m := kind.New().Interface()
	if err := proto.Unmarshal(e.Data, m); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrUndecodable, e.ID, err)
	}
	return m, nil
}

// Position is the place of an event in its source.
type Position struct {
	Source string
	Seq    uint64
	Index  uint32
}

// After reports whether p stands behind q in the same source.
func (p Position) After(q Position) bool {
	return p.Seq > q.Seq || p.Seq == q.Seq && p.Index > q.Index
}

// String is the event id of the position.
func (p Position) String() string {
	id := make([]byte, 0, len(p.Source)+32)
	id = append(append(id, p.Source...), '/')
	id = append(strconv.AppendUint(id, p.Seq, 10), '/')
	return string(strconv.AppendUint(id, uint64(p.Index), 10))
}

// Position parses the event's id.
func (e Event) Position() (Position, error) { return ParsePosition(e.ID) }

// ParsePosition parses "<source>/<seq>/<index>".
func ParsePosition(id string) (Position, error) {
	head, index, ok := cutLast(id)
	source, seq, ok2 := cutLast(head)
	if !ok || !ok2 || source == "" {
		return Position{}, fmt.Errorf("%w: id %q is not source/seq/index", ErrUndecodable, id)
	}
	s, err := strconv.ParseUint(seq, 10, 64)
	if err != nil {
		return Position{}, fmt.Errorf("%w: id %q: %w", ErrUndecodable, id, err)
	}
	n, err := strconv.ParseUint(index, 10, 32)
	if err != nil {
		return Position{}, fmt.Errorf("%w: id %q: %w", ErrUndecodable, id, err)
	}
	if padded(seq) || padded(index) { // "src/01/0" would be a second name of src/1/0
		return Position{}, fmt.Errorf("%w: id %q has a number that is not written in the shortest way", ErrUndecodable, id)
	}
	return Position{Source: source, Seq: s, Index: uint32(n)}, nil
}

func padded(number string) bool { return len(number) > 1 && number[0] == '0' }

func cutLast(s string) (head, tail string, ok bool) {
	i := strings.LastIndexByte(s, '/')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

var (
	specVersion = []byte("1.0")
	contentType = []byte("application/protobuf")
)

// headers renders the CloudEvents attributes. Those of one event share their memory.
func (e Event) headers() []kafka.Header {
	source := e.ID
	if p, err := e.Position(); err == nil {
		source = p.Source
	}
	text := make([]byte, 0, len(e.ID)+len(source)+len(e.Type)+len(e.Subject)+len(e.Prev)+len(e.Traceparent)+len(time.RFC3339Nano)+1)
	attribute := func(parts ...string) []byte {
		begin := len(text)
		for _, part := range parts {
			text = append(text, part...)
		}
		return text[begin:len(text):len(text)]
	}
	out := make([]kafka.Header, 0, 9)
	out = append(out,
		kafka.Header{Key: "ce_specversion", Value: specVersion},
		kafka.Header{Key: "ce_id", Value: attribute(e.ID)},
		kafka.Header{Key: "ce_source", Value: attribute("/", source)},
		kafka.Header{Key: "ce_type", Value: attribute(e.Type)},
	)
	begin := len(text)
	text = e.Time.UTC().AppendFormat(text, time.RFC3339Nano)
	out = append(out,
		kafka.Header{Key: "ce_time", Value: text[begin:len(text):len(text)]},
		kafka.Header{Key: "content-type", Value: contentType},
	)
	for _, optional := range [...]struct{ key, value string }{
		{"ce_subject", e.Subject}, {"ce_prev", e.Prev}, {"traceparent", e.Traceparent},
	} {
		if optional.value != "" {
			out = append(out, kafka.Header{Key: optional.key, Value: attribute(optional.value)})
		}
	}
	return out
}

// parseEvent reads the attributes back; a record without an id is no event. The texts of one event
// share their memory.
func parseEvent(headers []kafka.Header, value []byte) Event {
	e := Event{Data: value}
	size := 0
	for _, h := range headers {
		size += len(h.Value)
	}
	if size == 0 {
		return e
	}
	var text strings.Builder
	text.Grow(size)
	for _, h := range headers {
		text.Write(h.Value)
	}
	rest := text.String()
	for _, h := range headers {
		value := rest[:len(h.Value)]
		rest = rest[len(h.Value):]
		switch h.Key {
		case "ce_id":
			e.ID = value
		case "ce_type":
			e.Type = value
		case "ce_subject":
			e.Subject = value
		case "ce_prev":
			e.Prev = value
		case "traceparent":
			e.Traceparent = value
		case "ce_time":
			if at, err := time.Parse(time.RFC3339Nano, value); err == nil {
				e.Time = at
			}
		}
	}
	return e
}
