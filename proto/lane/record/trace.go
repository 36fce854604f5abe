package record

import (
	"encoding/hex"
	"strings"
)

// Where the parts of a traceparent end: "00-<32 hex>-<16 hex>-<2 hex>", W3C Trace Context, section 3.2.
const (
	traceText  = 55
	traceIDEnd = 16
	parentEnd  = 24
)

// ParseTrace reads a W3C traceparent of version 00; what is not one is no trace.
func ParseTrace(s string) Trace {
	var t Trace
	if len(s) != traceText || s[:3] != "00-" || s[35] != '-' || s[52] != '-' || s != strings.ToLower(s) {
		return Trace{}
	}
	for _, part := range []struct {
		to   []byte
		from string
	}{{t[:traceIDEnd], s[3:35]}, {t[traceIDEnd:parentEnd], s[36:52]}, {t[parentEnd:], s[53:]}} {
		if _, err := hex.Decode(part.to, []byte(part.from)); err != nil {
			return Trace{}
		}
	}
	if !t.valid() {
		return Trace{}
	}
	return t
}

// valid reports whether both ids are there: all zero is "none" by the standard.
func (t Trace) valid() bool {
	return [traceIDEnd]byte(t[:traceIDEnd]) != [traceIDEnd]byte{} && [parentEnd - traceIDEnd]byte(t[traceIDEnd:parentEnd]) != [parentEnd - traceIDEnd]byte{}
}

// String is the traceparent, empty for none.
func (t Trace) String() string {
	if !t.valid() {
		return ""
	}
	return "00-" + hex.EncodeToString(t[:traceIDEnd]) + "-" + hex.EncodeToString(t[traceIDEnd:parentEnd]) + "-" + hex.EncodeToString(t[parentEnd:])
}
