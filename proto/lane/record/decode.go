package record

import (
	"fmt"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
)

// Decode reads the value of one record. It fails with ErrVersion or ErrMalformed. The strings of an
// entry share one copy of the value: who keeps one for long clones it.
func Decode(value []byte) (Entry, error) {
	switch {
	case len(value) == 0:
		return Entry{}, fmt.Errorf("%w: empty", ErrMalformed)
	case value[0] != Format:
		return Entry{}, fmt.Errorf("%w: %d", ErrVersion, value[0])
	case len(value) > MaxBytes:
		return Entry{}, fmt.Errorf("%w: %d bytes", ErrMalformed, len(value))
	case len(value) < traceAt:
		return Entry{}, fmt.Errorf("%w: ends within the header", ErrMalformed)
	}
	r := reader{rest: string(value)}
	e, k := r.header()
	switch k {
	case kindSwitchRules:
		e.Command = &SwitchRules{Rules: r.u16()}
	case kindTick:
		e.Command = &Tick{At: r.i64()}
	case kindWant:
		e.Command = r.want(value)
	case kindAllocate:
		e.Command = r.allocate()
	case kindPlace:
		e.Command = r.place()
	case kindPay:
		e.Command = r.pay()
	case kindCancel:
		e.Command = &Cancel{OrderID: r.text(), CampaignUID: r.text()}
	case kindSettle:
		e.Command = &Settle{CampaignUID: r.text()}
	default:
		r.fail("an unknown kind")
	}
	if r.rest != "" {
		r.fail("bytes behind its end")
	}
	if r.wrong != "" {
		return Entry{}, fmt.Errorf("%w: %s", ErrMalformed, r.wrong)
	}
	return e, nil
}

// reader takes bytes from the front of a value, and keeps what first went wrong. When there is not
// enough it gives zeros: the entry is thrown away at the end.
type reader struct {
	rest  string
	wrong string
}

func (r *reader) fail(what string) {
	if r.wrong == "" {
		r.wrong = what
	}
	r.rest = ""
}

// header reads what stands before the command. That it is all there was checked by Decode.
func (r *reader) header() (Entry, kind) {
	var e Entry
	k := kind(r.rest[1])
	r.take(2)
	e.Rules = r.u16()
	flags := r.u8()
	e.Writer = r.u64()
	e.Seq = r.u32()
	if flags&^flagTrace != 0 {
		r.fail("an unknown flag")
	}
	if flags&flagTrace != 0 {
		copy(e.Trace[:], r.take(len(e.Trace)))
		if e.Trace == (Trace{}) {
			r.fail("an empty trace")
		}
	}
	return e, k
}

// want reads from the value itself what is left of it: protobuf reads no string.
func (r *reader) want(value []byte) *Want {
	d := &campaignv1.Desired{}
	if proto.Unmarshal(value[len(value)-len(r.rest):], d) != nil {
		r.fail("a desired state that is not one")
	}
	r.rest = ""
	return &Want{Desired: d}
}

func (r *reader) allocate() *Allocate {
	return &Allocate{
		CampaignUID: r.text(), Generation: r.i64(), TopUp: r.i64(),
		RefusedReason: r.text(), RefusedMessage: r.message(), Add: r.units(MaxItems),
	}
}

func (r *reader) place() *Place {
	flags := r.u8()
	if flags&^flagTakeWhatFits != 0 {
		r.fail("an unknown flag of an order")
	}
	return &Place{
		TakeWhatFits: flags&flagTakeWhatFits != 0, BodyHash: r.u64(),
		OrderID: r.text(), CampaignUID: r.text(), BuyerID: r.text(), OwnerID: r.text(), AddressID: r.text(),
		Lines: r.units(MaxLines),
	}
}

func (r *reader) pay() *Pay {
	return &Pay{
		Fen: r.i64(), OrderID: r.text(), CampaignUID: r.text(), PaymentID: r.text(),
		BuyerID: r.text(), OwnerID: r.text(), AddressID: r.text(),
		Lines: r.units(MaxLines),
	}
}

// units reads lines. Their number is believed only as far as there are bytes for them.
func (r *reader) units(most int) []Units {
	n := int(r.u16())
	if n > most || n > len(r.rest)/minLine {
		r.fail("more lines than can be")
		return nil
	}
	if n == 0 {
		return nil
	}
	lines := make([]Units, n)
	for i := range lines {
		lines[i] = Units{SKU: r.text(), Units: r.count()}
	}
	return lines
}

// count reads a varint in its shortest form. 9 bytes hold up to the greatest int64 and no more.
func (r *reader) count() int64 {
	var n int64
	for i := 0; i < len(r.rest) && i < maxCount; i++ {
		b := r.rest[i]
		n |= int64(b&0x7f) << (7 * i)
		if b >= 0x80 {
			continue
		}
		if b == 0 && i > 0 {
			break
		}
		r.rest = r.rest[i+1:]
		return n
	}
	r.fail("a bad number of units")
	return 0
}

func (r *reader) text() string    { return r.valid(r.take(int(r.u8()))) }
func (r *reader) message() string { return r.valid(r.take(int(r.u16()))) }

// valid keeps out what no event could carry: protobuf takes UTF-8 only.
func (r *reader) valid(s string) string {
	if !utf8.ValidString(s) {
		r.fail("text that is not UTF-8")
	}
	return s
}

// take returns the next n bytes, or "" if there are not so many.
func (r *reader) take(n int) string {
	if len(r.rest) < n {
		r.fail("ends too early")
		return ""
	}
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return s
}

func (r *reader) u8() uint8 {
	s := r.take(1)
	if s == "" {
		return 0
	}
	return s[0]
}

func (r *reader) u16() uint16 {
	s := r.take(2)
	if s == "" {
		return 0
	}
	return uint16(s[0]) | uint16(s[1])<<8
}

func (r *reader) u32() uint32 { return uint32(r.u16()) | uint32(r.u16())<<16 }
func (r *reader) u64() uint64 { return uint64(r.u32()) | uint64(r.u32())<<32 }
func (r *reader) i64() int64  { return int64(r.u64()) }
