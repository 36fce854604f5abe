package offers

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/qingcang/qingcang/proto/eventkit"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
)

// topics keep what is told, and answer once that they did not.
type topics struct {
	wanted   []string
	events   []eventkit.Event
	loses    bool
	statuses map[string]*campaignv1.Status
}

var errLost = errors.New("the answer is lost")

func (t *topics) Put(_ context.Context, _, key string, _ proto.Message) error {
	t.wanted = append(t.wanted, key)
	return nil
}

func (t *topics) Publish(_ context.Context, _ string, _ int, events []eventkit.Event) error {
	t.events = append(t.events, events...)
	if t.loses {
		t.loses = false
		return errLost
	}
	return nil
}

func (t *topics) Table(ctx context.Context, _ string, each func(string, []byte) error, _ func()) error {
	for uid, status := range t.statuses {
		value, err := proto.Marshal(status)
		if err != nil {
			return err
		}
		if err := each(uid, value); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func TestWhatIsToldAgainHasTheSameIDs(t *testing.T) {
	told := &topics{loses: true}
	desk := New(told)
	a, b := Desired("test", "a", 0, Item("sku", 5)), Desired("test", "b", 1, Item("sku", 7))
	if err := desk.Want(t.Context(), a, b); !errors.Is(err, errLost) {
		t.Fatalf("got %v", err)
	}
	for _, again := range [][]*campaignv1.Desired{{a, b}, {Desired("test", "c", 2)}} {
		if err := desk.Want(t.Context(), again...); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, e := range told.events {
		got = append(got, strings.TrimSpace(e.Prev+" "+e.ID+" "+e.Subject))
	}
	first, second, third := "brand-intake/0/1/0", "brand-intake/0/2/0", "brand-intake/0/3/0"
	want := []string{
		first + " a", first + " " + second + " b",
		first + " a", first + " " + second + " b", second + " " + third + " c",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("told\n%q, want\n%q", got, want)
	}
}

func TestEachCampaignIsAwaited(t *testing.T) {
	open, waiting := &campaignv1.Status{Phase: campaignv1.Status_PHASE_OPEN}, &campaignv1.Status{Phase: campaignv1.Status_PHASE_WAITING}
	a, b := Desired("test", "a", 0), Desired("test", "b", 0)
	for name, c := range map[string]struct {
		statuses map[string]*campaignv1.Status
		fails    bool
	}{
		"both are open":              {map[string]*campaignv1.Status{"a": open, "b": open}, false},
		"one waits":                  {map[string]*campaignv1.Status{"a": open, "b": waiting}, true},
		"another one does not count": {map[string]*campaignv1.Status{"a": open, "c": open}, true},
	} {
		t.Run(name, func(t *testing.T) {
			err := New(&topics{statuses: c.statuses}).Await(t.Context(), Open, a, b)
			if (err != nil) != c.fails {
				t.Errorf("got %v", err)
			}
		})
	}
}
