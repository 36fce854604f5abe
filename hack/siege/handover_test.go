package main

import (
	"testing"

	"github.com/qingcang/qingcang/proto/eventkit"
)

func TestWhatAConsumerThatTrustsNobodyFinds(t *testing.T) {
	at := func(id, prev, data string) eventkit.Event {
		return eventkit.Event{ID: id, Prev: prev, Data: []byte(data)}
	}
	one, two, three := at("lane/0/1/0", "", "a"), at("lane/0/2/0", "lane/0/1/0", "b"), at("lane/0/3/0", "lane/0/2/0", "c")
	for name, test := range map[string]struct {
		events []eventkit.Event
		amiss  int
	}{
		"each in its order is right":                {[]eventkit.Event{one, two, three}, 0},
		"the same again is right":                   {[]eventkit.Event{one, two, one, two, three}, 0},
		"the same id with other words is amiss":     {[]eventkit.Event{one, two, at(two.ID, two.Prev, "x")}, 1},
		"one that was left out is amiss":            {[]eventkit.Event{one, three}, 1},
		"one that comes before its turn is amiss":   {[]eventkit.Event{two, one}, 2},
		"another id for the same decision is amiss": {[]eventkit.Event{one, at("lane/0/1/9", "", "a")}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			log, f := newEventLog(nil), newFaults()
			for _, e := range test.events {
				if err := log.take(e, f); err != nil {
					t.Fatal(err)
				}
			}
			if found := f.all(); len(found) != test.amiss {
				t.Errorf("%d amiss, want %d: %q", len(found), test.amiss, found)
			}
		})
	}
}
