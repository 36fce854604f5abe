package record_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/qingcang/qingcang/proto/lane/record"
)

// What decodes encodes to the same bytes, so that no two values mean one entry. Only the desired state
// inside a Want has more than one form: it comes back as the same state.
func FuzzDecode(f *testing.F) {
	for _, pattern := range []string{"*.hex", "refused/*.hex"} {
		for _, path := range vectors(f, pattern) {
			f.Add(vector(f, path))
		}
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		e, err := record.Decode(value)
		if err != nil {
			if !errors.Is(err, record.ErrMalformed) && !errors.Is(err, record.ErrVersion) {
				t.Fatalf("an error of neither kind: %v", err)
			}
			return
		}
		again, err := e.Append(nil)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		if isWant(e) {
			if back, err := record.Decode(again); err != nil || !same(e, back) {
				t.Fatalf("%+v came back as %+v, %v", e.Command, back.Command, err)
			}
			return
		}
		if !bytes.Equal(again, value) {
			t.Fatalf("%x came back as %x", value, again)
		}
	})
}

func FuzzParseTrace(f *testing.F) {
	f.Add("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		trace := record.ParseTrace(text)
		if got := trace.String(); got != "" && got != text {
			t.Fatalf("%q was read as %q", text, got)
		}
		if trace.String() == "" && trace != (record.Trace{}) {
			t.Fatalf("%q is no trace, and was read as %x", text, trace)
		}
	})
}
