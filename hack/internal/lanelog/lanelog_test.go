package lanelog

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
)

// vectors are the examples beside the layout.
const vectors = "../../../proto/lane/testdata"

func glob(t testing.TB, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(vectors, pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no vectors at %s: %v", pattern, err)
	}
	return paths
}

// value reads the bytes of a vector: hexadecimal, with comments behind #.
func value(t testing.TB, path string) []byte {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for line := range strings.Lines(string(file)) {
		digits, _, _ := strings.Cut(line, "#")
		part, err := hex.DecodeString(strings.TrimSpace(digits))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all = append(all, part...)
	}
	return all
}

// told is the text form of a vector.
type told struct {
	Kind    string
	Rules   uint16
	Writer  uint64
	Seq     uint32
	Trace   string
	Command struct {
		Rules                                                        uint16
		At, Generation, TopUp, Fen                                   int64
		Desired                                                      json.RawMessage
		CampaignUID, OrderID, PaymentID, BuyerID, OwnerID, AddressID string
		RefusedReason, RefusedMessage                                string
		BodyHash                                                     uint64
		TakeWhatFits                                                 bool
		Add, Lines                                                   []Line
	}
}

func (v told) entry() (Entry, error) {
	e := Entry{Rules: v.Rules, Writer: v.Writer, Count: v.Seq}
	if v.Trace != "" {
		var err error
		if e.Trace, err = hex.DecodeString(strings.ReplaceAll(v.Trace[len("00-"):], "-", "")); err != nil {
			return e, err
		}
	}
	c := v.Command
	switch v.Kind {
	case "SwitchRules":
		e.Command = SwitchRules{Rules: c.Rules}
	case "Tick":
		e.Command = Tick{At: c.At}
	case "Want":
		d := &campaignv1.Desired{}
		e.Command = Want{Desired: d}
		return e, protojson.Unmarshal(c.Desired, d)
	case "Allocate":
		e.Command = Allocate{c.CampaignUID, c.Generation, c.TopUp, c.RefusedReason, c.RefusedMessage, some(c.Add)}
	case "Place":
		e.Command = Place{c.TakeWhatFits, c.BodyHash, c.OrderID, c.CampaignUID, c.BuyerID, c.OwnerID, c.AddressID, some(c.Lines)}
	case "Pay":
		e.Command = Pay{c.Fen, c.OrderID, c.CampaignUID, c.PaymentID, c.BuyerID, c.OwnerID, c.AddressID, some(c.Lines)}
	case "Cancel":
		e.Command = Cancel{c.OrderID, c.CampaignUID}
	case "Settle":
		e.Command = Settle{c.CampaignUID}
	default:
		return e, fmt.Errorf("no kind %q", v.Kind)
	}
	return e, nil
}

func some(l []Line) []Line {
	if len(l) == 0 {
		return nil
	}
	return l
}

func TestTheVectorsAreReadAsTheirTextsSay(t *testing.T) {
	for _, path := range glob(t, "*.hex") {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".hex"), func(t *testing.T) {
			file, err := os.ReadFile(strings.TrimSuffix(path, ".hex") + ".json")
			if err != nil {
				t.Fatal(err)
			}
			var text told
			if err := json.Unmarshal(file, &text); err != nil {
				t.Fatal(err)
			}
			want, err := text.entry()
			if err != nil {
				t.Fatal(err)
			}
			got, err := Read(value(t, path))
			if err != nil {
				t.Fatal(err)
			}
			gotWant, ok := got.Command.(Want)
			if wanted, is := want.Command.(Want); is && ok && proto.Equal(gotWant.Desired, wanted.Desired) {
				got.Command, want.Command = nil, nil
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestWhatIsNoEntryIsRefused(t *testing.T) {
	for _, path := range glob(t, "refused/*.hex") {
		name := strings.TrimSuffix(filepath.Base(path), ".hex")
		t.Run(name, func(t *testing.T) {
			want := ErrMalformed
			if strings.HasPrefix(name, "version") {
				want = ErrFormat
			}
			if got, err := Read(value(t, path)); !errors.Is(err, want) {
				t.Errorf("got %+v and %v, want %v", got, err, want)
			}
		})
	}
}
