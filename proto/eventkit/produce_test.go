package eventkit

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
)

func TestPublishSplitsWhatOneBatchDoesNotTake(t *testing.T) {
	for name, test := range map[string]struct{ events, bytes int }{
		"many small events":         {2*maxBatchRecords + 1, 1},
		"events of half a batch":    {5, maxBatchBytes / 2},
		"events as large as can be": {3, maxBatchBytes - 400},
		"no events":                 {0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			conn := connWith(t, 1, "delete")
			events := chain("a", 1, test.events)
			for i := range events {
				events[i].Data = bytes.Repeat([]byte{'x'}, test.bytes)
			}
			publish(t, conn, 0, events...)
			got := readAll(t, conn, 0)
			if len(got) != len(events) {
				t.Fatalf("%d records, want %d", len(got), len(events))
			}
			for i, r := range got {
				if r.Event.ID != events[i].ID || len(r.Value) != test.bytes {
					t.Fatalf("record %d is %s of %d bytes", i, r.Event.ID, len(r.Value))
				}
			}
		})
	}
}

func TestAnEventThatNoTopicTakesIsRefused(t *testing.T) {
	conn := connWith(t, 1, "delete")
	events := chain("a", 1, 1)
	events[0].Data = make([]byte, maxBatchBytes)
	if err := conn.Publish(t.Context(), testTopic, 0, events); err == nil {
		t.Error("it was published")
	}
	if _, err := conn.Append(t.Context(), testTopic, 0, [][]byte{make([]byte, maxBatchBytes)}); err == nil {
		t.Error("it was appended")
	}
	if _, err := conn.Append(t.Context(), testTopic, 0, make([][]byte, maxBatchRecords+1)); err == nil {
		t.Error("too many values were appended")
	}
}

func TestAppendedValuesStandTogether(t *testing.T) {
	conn := connWith(t, 1, "delete")
	const writers, values = 8, 50
	type done struct {
		writer int
		at     Appended
		err    error
	}
	answers := make(chan done, writers)
	for w := range writers {
		go func() {
			batch := make([][]byte, values)
			for i := range batch {
				batch[i] = fmt.Appendf(nil, "%d-%d", w, i)
			}
			at, err := conn.Append(t.Context(), testTopic, 0, batch)
			answers <- done{w, at, err}
		}()
	}
	base := map[int]int64{}
	for range writers {
		d := <-answers
		if d.err != nil {
			t.Fatal(d.err)
		}
		if d.at.At.IsZero() {
			t.Error("the append has no time")
		}
		base[d.writer] = d.at.BaseOffset
	}
	records := readAll(t, conn, 0)
	for w := range writers {
		for i := range values {
			if got, want := string(records[base[w]+int64(i)].Value), fmt.Sprintf("%d-%d", w, i); got != want {
				t.Fatalf("at %d stands %s, want %s", base[w]+int64(i), got, want)
			}
		}
	}
}

func TestFetchOutsideTheLog(t *testing.T) {
	conn := connWith(t, 1, "delete")
	publish(t, conn, 0, chain("a", 1, 3)...)
	for name, test := range map[string]struct {
		offset int64
		want   error
	}{
		"at the end nothing is there yet": {3, nil},
		"behind the end it is truncated":  {9, ErrTruncated},
	} {
		t.Run(name, func(t *testing.T) {
			records, err := conn.Fetch(t.Context(), testTopic, 0, test.offset)
			if !errors.Is(err, test.want) || len(records) > 0 {
				t.Errorf("got %d records, %v; want %v", len(records), err, test.want)
			}
		})
	}
	first, err := conn.FirstOffset(t.Context(), testTopic, 0)
	if err != nil || first != 0 {
		t.Errorf("the log begins at %d, %v; want 0", first, err)
	}
}

func TestTheNewestEventOfASourceIsFound(t *testing.T) {
	conn := connWith(t, 1, "delete")
	publish(t, conn, 0, chain("early", 1, 3)...)
	publish(t, conn, 0, chain("busy", 1, 1500)...) // more than two windows of the look back
	publish(t, conn, 0, chain("busy", 1490, 1495)...)
	for name, test := range map[string]struct{ source, want string }{
		"a busy source":                   {"busy", "busy/1500/0"},
		"one that is silent for long":     {"early", "early/3/0"},
		"one that has never said a thing": {"absent", ""},
	} {
		t.Run(name, func(t *testing.T) {
			e, found, err := conn.LastEvent(t.Context(), testTopic, 0, test.source)
			if err != nil || found != (test.want != "") || e.ID != test.want {
				t.Errorf("got %q, %t, %v; want %q", e.ID, found, err, test.want)
			}
		})
	}
}

func TestWhoRemembersLooksThroughNoRecordTwice(t *testing.T) {
	conn := connWith(t, 1, "delete")
	publish(t, conn, 0, chain("early", 1, 3)...)
	publish(t, conn, 0, chain("busy", 1, 700)...)
	for name, test := range map[string]struct {
		source string
		since  int64
		want   string
		at     int64
	}{
		"a silent source, from the beginning": {"early", 0, "early/3/0", 2},
		"a silent source, from its event on":  {"early", 2, "early/3/0", 2},
		"a silent source, from behind it":     {"early", 3, "", 0},
		"a busy source":                       {"busy", 650, "busy/700/0", 702},
		"from the end":                        {"busy", 703, "", 0},
		"from behind the end":                 {"busy", 9_999, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			r, end, found, err := conn.LastEventSince(t.Context(), testTopic, 0, test.source, test.since)
			if err != nil || found != (test.want != "") || r.Event.ID != test.want || r.Offset != test.at || end != 703 {
				t.Errorf("got %q at %d of %d, %t, %v", r.Event.ID, r.Offset, end, found, err)
			}
		})
	}
}

func TestATopicThatIsNotThereIsCalledSo(t *testing.T) {
	if _, err := dial(t).EndOffset(t.Context(), "lane.nowhere", 0); !errors.Is(err, ErrNoTopic) {
		t.Errorf("its end is %v", err)
	}
}
