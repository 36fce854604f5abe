package eventkit

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// change is one call of a table's apply; caughtUp stands for the call of that.
type change struct {
	key      string
	value    string
	caughtUp bool
}

func followTable(t *testing.T, conn *Conn) (changes <-chan change, stop func() error) {
	t.Helper()
	out := make(chan change, 100)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- conn.Table(ctx, testTopic, func(key string, value []byte) error {
			if value == nil {
				out <- change{key: key, value: "deleted"}
				return nil
			}
			var n wrapperspb.Int64Value
			if err := proto.Unmarshal(value, &n); err != nil {
				return err
			}
			out <- change{key: key, value: fmt.Sprint(n.GetValue())}
			return nil
		}, func() { out <- change{caughtUp: true} })
	}()
	return out, func() error { cancel(); return receive(t, done, "the end of the table") }
}

func put(t *testing.T, conn *Conn, key string, m proto.Message) {
	t.Helper()
	if err := conn.Put(t.Context(), testTopic, key, m); err != nil {
		t.Fatal(err)
	}
}

func TestATableSeesValuesAndDeletionsInTheirOrder(t *testing.T) {
	conn := connWith(t, 1, "compact")
	put(t, conn, "a", value(1))
	put(t, conn, "a", value(2))
	put(t, conn, "b", value(0)) // encodes to no bytes, and is no deletion
	put(t, conn, "a", nil)
	changes, stop := followTable(t, conn)
	for i, want := range []change{{key: "a", value: "1"}, {key: "a", value: "2"}, {key: "b", value: "0"}, {key: "a", value: "deleted"}, {caughtUp: true}} {
		if got := receive(t, changes, fmt.Sprint("change ", i)); got != want {
			t.Errorf("change %d is %+v, want %+v", i, got, want)
		}
	}
	put(t, conn, "a", value(7))
	if got, want := receive(t, changes, "a new value"), (change{key: "a", value: "7"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if err := stop(); err != nil {
		t.Errorf("a table that is stopped says %v", err)
	}
}

func TestAnEmptyTableIsCaughtUpAtOnce(t *testing.T) {
	conn := connWith(t, 1, "compact")
	changes, stop := followTable(t, conn)
	if got := receive(t, changes, "caught up"); !got.caughtUp {
		t.Errorf("got %+v", got)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestAnErrorOfApplyEndsTheTable(t *testing.T) {
	conn := connWith(t, 1, "compact")
	put(t, conn, "a", value(1))
	broken := errors.New("broken")
	if err := conn.Table(t.Context(), testTopic, func(string, []byte) error { return broken }, nil); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}

func TestFollowReadsEveryPartition(t *testing.T) {
	conn := dial(t)
	topic, _ := TopicNamed("brand.events.v1")
	if err := conn.Ensure(t.Context(), topic); err != nil {
		t.Fatal(err)
	}
	for p := range topic.Partitions {
		if err := conn.Publish(t.Context(), topic.Name, p, chain(fmt.Sprint("brand/", p), 1, 3)); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	seen := map[string]bool{}
	caughtUp := 0
	err := conn.Follow(ctx, topic.Name, func(r Record) error { // one at a time, though partitions are read side by side
		seen[r.Event.ID] = true
		return nil
	}, func() {
		caughtUp = len(seen)
		cancel()
	})
	if want := 3 * topic.Partitions; err != nil || caughtUp != want {
		t.Errorf("%d events when caught up, %v; want %d", caughtUp, err, want)
	}
	if err := conn.Follow(t.Context(), "absent.v1", nil, nil); err == nil {
		t.Error("a topic that topics.yaml does not have is followed")
	}
}
