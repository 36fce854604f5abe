package eventin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/qingcang/qingcang/proto/eventkit"
	programv1 "github.com/qingcang/qingcang/proto/gen/program/v1"
	"github.com/qingcang/qingcang/services/store-owner/internal/membership"
)

// record is a value of the topic; nil is a deletion.
type record struct {
	key   string
	value []byte
}

func desired(uid string, generation, fee int64, change ...func(*programv1.Desired)) record {
	d := &programv1.Desired{Uid: uid, Name: "standard", Generation: generation, FeeFen: fee}
	for _, c := range change {
		c(d)
	}
	data, err := proto.Marshal(d)
	if err != nil {
		panic(err) // a message of plain fields
	}
	return record{uid, data}
}

func closed(d *programv1.Desired) { d.Closed = true }

func named(name string) func(*programv1.Desired) {
	return func(d *programv1.Desired) { d.Name = name }
}

func TestTheFeeOfTheProgramme(t *testing.T) {
	const usual = int64(membership.DefaultFee)
	for name, c := range map[string]struct {
		records []record
		want    int64
		parked  int
	}{
		"no programme":                                  {nil, usual, 0},
		"the programme of the name":                     {[]record{desired("a", 1, 29_800)}, 29_800, 0},
		"a membership for nothing":                      {[]record{desired("a", 1, 0)}, 0, 0},
		"another programme's":                           {[]record{desired("a", 1, 29_800, named("premium"))}, usual, 0},
		"its newest generation":                         {[]record{desired("a", 1, 29_800), desired("a", 7, 19_800)}, 19_800, 0},
		"not an older one":                              {[]record{desired("a", 7, 19_800), desired("a", 1, 29_800)}, 19_800, 0},
		"a closed one counts no more":                   {[]record{desired("a", 1, 29_800), desired("a", 2, 29_800, closed)}, usual, 0},
		"nor one that is gone":                          {[]record{desired("a", 1, 29_800), {"a", nil}}, usual, 0},
		"the object that has the name now":              {[]record{desired("a", 9, 29_800), desired("a", 10, 29_800, closed), desired("b", 1, 19_800)}, 19_800, 0},
		"of two the one heard of last":                  {[]record{desired("a", 9, 29_800), desired("b", 1, 19_800), desired("a", 10, 9_800)}, 9_800, 0},
		"the other one when it closes":                  {[]record{desired("a", 9, 29_800), desired("b", 1, 19_800), desired("b", 2, 19_800, closed)}, 29_800, 0},
		"a repeat makes nobody the last":                {[]record{desired("a", 9, 29_800), desired("b", 1, 19_800), desired("a", 9, 29_800)}, 19_800, 0},
		"bytes that are no programme are parked":        {[]record{desired("a", 1, 29_800), {"a", []byte("\xff\xff")}}, 29_800, 1},
		"a programme under another's key is parked":     {[]record{desired("a", 1, 29_800), {"a", desired("b", 2, 1).value}}, 29_800, 1},
		"a fee under nothing is parked":                 {[]record{desired("a", 1, -1)}, usual, 1},
		"a fee above all that can be asked is parked":   {[]record{desired("a", 1, 1_000_001)}, usual, 1},
		"the highest fee":                               {[]record{desired("a", 1, 1_000_000)}, 1_000_000, 0},
		"what is parked does not stop what comes after": {[]record{desired("a", 1, -1), desired("a", 2, 29_800)}, 29_800, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			p := NewPrograms("standard", slog.New(slog.NewTextHandler(&log, nil)))
			for _, r := range c.records {
				if err := p.apply(r.key, r.value); err != nil {
					t.Fatal(err)
				}
			}
			p.read()
			got, err := p.Fee()
			if err != nil || int64(got) != c.want || strings.Count(log.String(), "value parked") != c.parked {
				t.Errorf("got %d, %v and the log\n%swant %d, and %d parked", got, err, &log, c.want, c.parked)
			}
		})
	}
}

// broker answers looks for the topic in turn, the last answer for good, and holds one programme.
type broker struct {
	looks []error
	// there is whether the table can be read to its end.
	there bool
}

func (b *broker) EndOffset(context.Context, string, int) (int64, error) {
	err := b.looks[0]
	if len(b.looks) > 1 {
		b.looks = b.looks[1:]
	}
	return 0, err
}

func (b *broker) Table(_ context.Context, _ string, apply func(string, []byte) error, caughtUp func()) error {
	if !b.there {
		return nil
	}
	r := desired("a", 1, 29_800)
	if err := apply(r.key, r.value); err != nil {
		return err
	}
	caughtUp()
	return nil
}

func TestBeforeTheProgrammesAreReadNoFeeIsNamed(t *testing.T) {
	missing, down := fmt.Errorf("ask: %w", eventkit.ErrNoTopic), errors.New("no route to host")
	for name, c := range map[string]struct {
		broker broker
		want   int64
		err    error
	}{
		"a topic that is being read":        {broker{looks: []error{nil}}, 0, errProgramsNotRead},
		"a topic that was read":             {broker{looks: []error{nil}, there: true}, 29_800, nil},
		"no such topic":                     {broker{looks: []error{missing}}, int64(membership.DefaultFee), nil},
		"a topic that comes later":          {broker{looks: []error{missing}, there: true}, 29_800, nil},
		"a broker that is down for a while": {broker{looks: []error{down, nil}, there: true}, 29_800, nil},
		"that has no such topic then":       {broker{looks: []error{down, missing}}, int64(membership.DefaultFee), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // a broker that is down is asked again after a second
			p := NewPrograms("standard", slog.New(slog.DiscardHandler))
			if err := p.Follow(t.Context(), &c.broker); err != nil {
				t.Fatal(err)
			}
			got, err := p.Fee()
			if int64(got) != c.want || !errors.Is(err, c.err) || !errors.Is(p.Ready(nil), c.err) {
				t.Errorf("got %d and %v, want %d and %v", got, err, c.want, c.err)
			}
		})
	}
}
