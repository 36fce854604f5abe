package fault_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/qingcang/qingcang/services/internal/fault"
)

var soldOut = fault.New(fault.Conflict, "sold_out", "nothing is left")

func TestKindOf(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want fault.Kind
	}{
		"a fault has its kind":                  {soldOut, fault.Conflict},
		"a wrapped fault keeps it":              {fmt.Errorf("place: %w", soldOut), fault.Conflict},
		"the outer fault wins":                  {fault.New(fault.Unavailable, "down", "").Wrap(soldOut), fault.Unavailable},
		"an error that nobody classified":       {io.EOF, fault.Internal},
		"a fault among joined errors is enough": {errors.Join(io.EOF, soldOut), fault.Conflict},
	} {
		t.Run(name, func(t *testing.T) {
			if got := fault.KindOf(c.err); got != c.want {
				t.Fatalf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestDetailsMakeACopyThatIsStillTheSameFault(t *testing.T) {
	cause := errors.New("disk")
	got := soldOut.With(fault.Field{Pointer: "/lines/0", Detail: "2 left"}).Wrap(cause).RetryAfter(3)
	if !errors.Is(got, soldOut) || !errors.Is(got, cause) {
		t.Error("it is not the same fault, or lost its cause")
	}
	if errors.Is(got, fault.New(fault.Conflict, "closed", "")) {
		t.Error("it is any fault of its kind")
	}
	if len(soldOut.Fields) != 0 || soldOut.Unwrap() != nil || soldOut.RetryAfterSeconds != 0 {
		t.Error("the sentinel changed")
	}
	if want := "sold_out: nothing is left; /lines/0: 2 left: disk"; got.Error() != want {
		t.Errorf("it reads %q, want %q", got, want)
	}
}

func TestWithDoesNotShareFields(t *testing.T) {
	base := soldOut.With(fault.Field{Pointer: "/a"})
	one, two := base.With(fault.Field{Pointer: "/b"}), base.With(fault.Field{Pointer: "/c"})
	if one.Fields[1].Pointer != "/b" || two.Fields[1].Pointer != "/c" {
		t.Fatal("two copies share their fields")
	}
}

func TestEveryKindHasAName(t *testing.T) {
	seen := map[string]bool{}
	for k := fault.Internal; k <= fault.Timeout; k++ {
		if k.String() == "" || seen[k.String()] {
			t.Errorf("kind %d is named %q", k, k)
		}
		seen[k.String()] = true
	}
	if fault.Kind(99).String() != "kind(99)" {
		t.Error("an unknown kind has no name")
	}
}
