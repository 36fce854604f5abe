package eventkit

import (
	"bytes"
	"errors"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
)

// ceAttribute is what CloudEvents 1.0 allows as the name of an attribute, behind the ce_ of the
// Kafka binding.
var ceAttribute = regexp.MustCompile(`^ce_[a-z0-9]{1,20}$`)

func TestEventsKeepTheRulesOfCloudEvents(t *testing.T) {
	for name, e := range map[string]Event{
		"an event with all attributes": {
			ID: "order/3/17/0", Prev: "order/3/16/2", Type: "order.v1.OrderPaid", Subject: "ord_1",
			Time: time.Date(2026, 11, 11, 20, 0, 0, 5, time.FixedZone("CST", 8*3600)), Traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		},
		"a first event without a subject": {ID: "lanes.shared.v1/0/0/0", Type: "order.v1.LaneOpened", Time: time.Unix(0, 0)},
	} {
		t.Run(name, func(t *testing.T) {
			got := map[string]string{}
			for _, h := range e.headers() {
				if strings.HasPrefix(h.Key, "ce_") && !ceAttribute.MatchString(h.Key) {
					t.Errorf("%s is no name of an attribute", h.Key)
				}
				if _, twice := got[h.Key]; twice || len(h.Value) == 0 {
					t.Errorf("%s is there twice or empty", h.Key)
				}
				got[h.Key] = string(h.Value)
			}
			if got["ce_specversion"] != "1.0" || got["ce_id"] != e.ID || got["ce_type"] != e.Type {
				t.Errorf("a required attribute is wrong: %v", got)
			}
			if source, err := url.Parse(got["ce_source"]); err != nil || source.String() == "" {
				t.Errorf("ce_source %q is no URI reference", got["ce_source"])
			}
			if at, err := time.Parse(time.RFC3339Nano, got["ce_time"]); err != nil || !at.Equal(e.Time) || at.Location() != time.UTC {
				t.Errorf("ce_time %q is not the event's time in UTC", got["ce_time"])
			}
			if got["content-type"] != "application/protobuf" {
				t.Errorf("content-type is %q", got["content-type"])
			}
			back := parseEvent(e.headers(), e.Data)
			if e.Time = e.Time.UTC(); back.ID != e.ID || back.Prev != e.Prev || back.Type != e.Type || back.Subject != e.Subject ||
				back.Traceparent != e.Traceparent || !back.Time.Equal(e.Time) {
				t.Errorf("it is read as %+v, want %+v", back, e)
			}
		})
	}
}

func TestEventsDecode(t *testing.T) {
	data, err := proto.Marshal(value(5))
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		e           Event
		want        proto.Message
		undecodable bool
	}{
		"a known type":          {e: Event{Type: "google.protobuf.Int64Value", Data: data}, want: value(5)},
		"a message of defaults": {e: Event{Type: "google.protobuf.Int64Value"}, want: value(0)},
		"an unknown type":       {e: Event{Type: "order.v9.Unheard", Data: data}, undecodable: true},
		"bytes of another type": {e: Event{Type: "google.protobuf.Int64Value", Data: []byte{0xff}}, undecodable: true},
		"no event at all":       {undecodable: true},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := test.e.Decode()
			if errors.Is(err, ErrUndecodable) != test.undecodable || (err == nil) == test.undecodable {
				t.Fatalf("got %v, want undecodable %t", err, test.undecodable)
			}
			if err == nil && !proto.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestEventsTravel(t *testing.T) {
	conn := connWith(t, 1, "delete")
	want := chain("order/3", 1, 3)
	want[1].Traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	publish(t, conn, 0, want...)
	got := readAll(t, conn, 0)
	if len(got) != len(want) {
		t.Fatalf("%d records, want %d", len(got), len(want))
	}
	for i, r := range got {
		e := r.Event
		if e.ID != want[i].ID || e.Prev != want[i].Prev || e.Traceparent != want[i].Traceparent || !e.Time.Equal(want[i].Time) ||
			!bytes.Equal(e.Data, want[i].Data) || string(r.Key) != want[i].Subject {
			t.Errorf("record %d is %+v, want %+v", i, e, want[i])
		}
	}
}
