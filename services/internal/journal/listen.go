package journal

import (
	"context"
	"log/slog"

	"github.com/qingcang/qingcang/proto/eventkit"
)

// Hearer takes in the commands of consumed events, in their order; a Journal is one.
type Hearer[S any] interface {
	Hear(ctx context.Context, commands []Command[S]) error
}

// Listen returns how a partition of another source's events is heard: command makes of an event
// what is to be decided, or nothing, and all that follows from one fetch is durable before its
// offsets are committed. Listen fills in from which event the command comes.
//
// An event that cannot be decoded is left aside: nothing can ever be made of its bytes, and the place
// that is logged finds them again.
func Listen[S any](j Hearer[S], log *slog.Logger, command func(at eventkit.Position, event Fact) (Command[S], bool)) eventkit.Role {
	return eventkit.Role{Handle: func(ctx context.Context, records []eventkit.Record) error {
		commands := make([]Command[S], 0, len(records))
		for _, r := range records {
			at, event, err := read(r.Event)
			if err != nil {
				log.ErrorContext(ctx, "event left aside: it cannot be decoded",
					"topic", r.Topic, "partition", r.Partition, "offset", r.Offset, "error", err)
				continue
			}
			if c, ok := command(at, event); ok {
				c.Heard, c.Traceparent = &at, r.Event.Traceparent
				commands = append(commands, c)
			}
		}
		return j.Hear(ctx, commands)
	}}
}

func read(e eventkit.Event) (eventkit.Position, Fact, error) {
	at, err := e.Position()
	if err != nil {
		return at, nil, err
	}
	event, err := e.Decode()
	return at, event, err
}
