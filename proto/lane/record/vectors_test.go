package record_test

import (
	"bytes"
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
	"github.com/qingcang/qingcang/proto/lane/record"
)

// vector reads a .hex file: bytes in hexadecimal, and comments behind #.
func vector(t testing.TB, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var digits strings.Builder
	for line := range strings.Lines(string(text)) {
		code, _, _ := strings.Cut(line, "#")
		digits.WriteString(strings.TrimSpace(code))
	}
	value, err := hex.DecodeString(digits.String())
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return value
}

func vectors(t testing.TB, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", "testdata", pattern))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no vectors at %s: %v", pattern, err)
	}
	return paths
}

// said reads the text form of a vector.
func said(text []byte) (record.Entry, error) {
	var v struct {
		Kind    string
		Rules   uint16
		Writer  uint64
		Seq     uint32
		Trace   string
		Command json.RawMessage
	}
	if err := json.Unmarshal(text, &v); err != nil {
		return record.Entry{}, err
	}
	e := record.Entry{Rules: v.Rules, Writer: v.Writer, Seq: v.Seq, Trace: record.ParseTrace(v.Trace)}
	switch v.Kind {
	case "SwitchRules":
		e.Command = &record.SwitchRules{}
	case "Tick":
		e.Command = &record.Tick{}
	case "Allocate":
		e.Command = &record.Allocate{}
	case "Place":
		e.Command = &record.Place{}
	case "Pay":
		e.Command = &record.Pay{}
	case "Cancel":
		e.Command = &record.Cancel{}
	case "Settle":
		e.Command = &record.Settle{}
	case "Want":
		var c struct{ Desired json.RawMessage }
		if err := json.Unmarshal(v.Command, &c); err != nil {
			return record.Entry{}, err
		}
		w := &record.Want{Desired: &campaignv1.Desired{}}
		e.Command = w
		return e, protojson.Unmarshal(c.Desired, w.Desired)
	default:
		return record.Entry{}, fmt.Errorf("no kind %q", v.Kind)
	}
	return e, json.Unmarshal(v.Command, e.Command)
}

// same compares two entries. A list that is empty and none are the same.
func same(a, b record.Entry) bool {
	wantA, ok := a.Command.(*record.Want)
	if !ok {
		return reflect.DeepEqual(bare(a), bare(b))
	}
	wantB, ok := b.Command.(*record.Want)
	a.Command, b.Command = nil, nil
	return ok && a == b && proto.Equal(wantA.Desired, wantB.Desired)
}

func bare(e record.Entry) record.Entry {
	switch c := e.Command.(type) {
	case *record.Pay:
		if len(c.Lines) == 0 {
			c.Lines = nil
		}
	case *record.Place:
		if len(c.Lines) == 0 {
			c.Lines = nil
		}
	case *record.Allocate:
		if len(c.Add) == 0 {
			c.Add = nil
		}
	}
	return e
}

func TestTheVectorsSayWhatTheirTextsSay(t *testing.T) {
	for _, path := range vectors(t, "*.hex") {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".hex"), func(t *testing.T) {
			value := vector(t, path)
			text, err := os.ReadFile(strings.TrimSuffix(path, ".hex") + ".json")
			if err != nil {
				t.Fatal(err)
			}
			want, err := said(text)
			if err != nil {
				t.Fatal(err)
			}
			got, err := record.Decode(value)
			if err != nil || !same(got, want) {
				t.Errorf("decoded as %+v %+v, %v; want %+v %+v", got, got.Command, err, want, want.Command)
			}
			encoded, err := want.Append(nil)
			if err != nil || !bytes.Equal(encoded, value) {
				t.Errorf("encoded as %x, %v; want %x", encoded, err, value)
			}
		})
	}
}

func TestWhatIsNoEntryIsRefused(t *testing.T) {
	for _, path := range vectors(t, "refused/*.hex") {
		name := strings.TrimSuffix(filepath.Base(path), ".hex")
		t.Run(name, func(t *testing.T) {
			want := record.ErrMalformed
			if strings.HasPrefix(name, "version") {
				want = record.ErrVersion
			}
			if got, err := record.Decode(vector(t, path)); !errors.Is(err, want) {
				t.Errorf("got %+v and %v, want %v", got, err, want)
			}
		})
	}
}
