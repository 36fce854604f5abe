package record_test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/proto/lane/record"
)

// genUnits draws lines of up to most SKUs, no matter whether an order of them makes sense.
func genUnits(most int) *rapid.Generator[[]record.Units] {
	return rapid.Custom(func(t *rapid.T) []record.Units {
		var out []record.Units
		for range rapid.IntRange(0, most).Draw(t, "lines") {
			out = append(out, record.Units{SKU: genText.Draw(t, "sku"), Units: rapid.Int64Min(0).Draw(t, "units")})
		}
		return out
	})
}

var genText = rapid.StringN(0, -1, record.MaxText)

var genCommand = rapid.Custom(func(t *rapid.T) record.Command {
	text := func(name string) string { return genText.Draw(t, name) }
	number := func(name string) int64 { return rapid.Int64().Draw(t, name) }
	switch rapid.IntRange(1, 8).Draw(t, "kind") {
	case 1:
		return &record.SwitchRules{Rules: rapid.Uint16().Draw(t, "rules")}
	case 2:
		return &record.Tick{At: number("at")}
	case 3:
		return &record.Want{Desired: &campaignv1.Desired{Uid: text("uid"), Generation: number("generation"), Title: text("title")}}
	case 4:
		return &record.Allocate{
			CampaignUID: text("campaign"), Generation: number("generation"), TopUp: number("top-up"),
			RefusedReason: text("reason"), RefusedMessage: rapid.StringN(0, -1, 2*record.MaxText).Draw(t, "message"),
			Add: genUnits(20).Draw(t, "add"),
		}
	case 5:
		return &record.Place{
			OrderID: text("order"), CampaignUID: text("campaign"), BuyerID: text("buyer"), OwnerID: text("owner"), AddressID: text("address"),
			BodyHash: rapid.Uint64().Draw(t, "hash"), TakeWhatFits: rapid.Bool().Draw(t, "take what fits"), Lines: genUnits(20).Draw(t, "lines"),
		}
	case 6:
		return &record.Pay{
			OrderID: text("order"), CampaignUID: text("campaign"), PaymentID: text("payment"), Fen: number("fen"),
			BuyerID: text("buyer"), OwnerID: text("owner"), AddressID: text("address"), Lines: genUnits(20).Draw(t, "lines"),
		}
	case 7:
		return &record.Cancel{OrderID: text("order"), CampaignUID: text("campaign")}
	default:
		return &record.Settle{CampaignUID: text("campaign")}
	}
})

var genEntry = rapid.Custom(func(t *rapid.T) record.Entry {
	e := record.Entry{
		Rules: rapid.Uint16().Draw(t, "rules"), Writer: rapid.Uint64().Draw(t, "writer"), Seq: rapid.Uint32().Draw(t, "seq"),
		Command: genCommand.Draw(t, "command"),
	}
	if rapid.Bool().Draw(t, "traced") {
		copy(e.Trace[:], rapid.SliceOfN(rapid.Byte(), len(e.Trace), len(e.Trace)).Draw(t, "trace"))
	}
	return e
})

func TestAnEntryComesBackAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := genEntry.Draw(t, "entry")
		before := []byte("what stands before")
		value, err := want.Append(before)
		if err != nil {
			t.Fatal(err)
		}
		value, found := bytes.CutPrefix(value, before)
		if !found {
			t.Fatal("what stood before is gone")
		}
		got, err := record.Decode(value)
		if err != nil || !same(got, want) {
			t.Fatalf("got %+v, %v", got, err)
		}
		if cut := rapid.IntRange(0, len(value)-1).Draw(t, "cut"); !isWant(want) {
			if _, err := record.Decode(value[:cut]); !errors.Is(err, record.ErrMalformed) {
				t.Fatalf("%d of %d bytes decode with %v, want ErrMalformed", cut, len(value), err)
			}
		}
	})
}

func isWant(e record.Entry) bool {
	_, ok := e.Command.(*record.Want)
	return ok
}

func TestWhatIsBeyondTheLayoutIsNotWritten(t *testing.T) {
	long := strings.Repeat("x", record.MaxText+1)
	tests := map[string]record.Command{
		"no command":                    nil,
		"an order of 501 lines":         &record.Place{Lines: make([]record.Units, record.MaxLines+1)},
		"an allocation of 1,001 SKUs":   &record.Allocate{Add: make([]record.Units, record.MaxItems+1)},
		"an id of 256 bytes":            &record.Cancel{OrderID: long},
		"an SKU of 256 bytes":           &record.Place{Lines: []record.Units{{SKU: long}}},
		"negative units":                &record.Place{Lines: []record.Units{{SKU: "A", Units: -1}}},
		"text that is not UTF-8":        &record.Settle{CampaignUID: "\xff"},
		"a message of 65,536 bytes":     &record.Allocate{RefusedMessage: strings.Repeat("x", record.MaxMessage+1)},
		"a desired state over 800 KiB":  &record.Want{Desired: &campaignv1.Desired{Title: strings.Repeat("x", record.MaxBytes)}},
		"a desired state without UTF-8": &record.Want{Desired: &campaignv1.Desired{Title: "\xff"}},
	}
	for name, command := range tests {
		t.Run(name, func(t *testing.T) {
			e := record.Entry{Rules: 1, Command: command}
			value, err := e.Append([]byte("before"))
			if !errors.Is(err, record.ErrLimit) || string(value) != "before" {
				t.Errorf("got %d bytes and %v, want those before and ErrLimit", len(value), err)
			}
		})
	}
}

// The largest order must fit into an entry, and so must the largest allocation.
func TestTheLargestCommandsFit(t *testing.T) {
	lines := make([]record.Units, record.MaxItems)
	for i := range lines {
		lines[i] = record.Units{SKU: strings.Repeat("x", record.MaxText), Units: math.MaxInt64}
	}
	for name, command := range map[string]record.Command{
		"order": &record.Place{Lines: lines[:record.MaxLines]}, "allocation": &record.Allocate{RefusedMessage: strings.Repeat("x", record.MaxMessage), Add: lines},
	} {
		if _, err := (&record.Entry{Command: command}).Append(nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTraceparent(t *testing.T) {
	const whole = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	tests := map[string]struct{ text, want string }{
		"a trace comes back":            {whole, whole},
		"no trace":                      {"", ""},
		"another version is none":       {"01" + whole[2:], ""},
		"a trace id of zeros is none":   {"00-00000000000000000000000000000000-00f067aa0ba902b7-01", ""},
		"a parent of zeros is none":     {"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", ""},
		"upper case is none":            {strings.ToUpper(whole), ""},
		"what is no hex is none":        {strings.Replace(whole, "4bf9", "4bg9", 1), ""},
		"more behind it is none":        {whole + "-00", ""},
		"a dash at another place is no": {strings.Replace(whole, "-00f0", "0-0f0", 1), ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := record.ParseTrace(test.text).String(); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}
