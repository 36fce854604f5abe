package record

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"
)

// Append puts the entry's bytes behind dst, which it may grow. It fails with ErrLimit if the entry is
// beyond the layout's bounds, and returns dst as it was.
func (e *Entry) Append(dst []byte) ([]byte, error) {
	w := writer{buf: dst}
	w.header(e)
	switch c := e.Command.(type) {
	case *SwitchRules:
		w.u16(c.Rules)
	case *Tick:
		w.i64(c.At)
	case *Want:
		w.want(c)
	case *Allocate:
		w.allocate(c)
	case *Place:
		w.place(c)
	case *Pay:
		w.pay(c)
	case *Cancel:
		w.text("order id", c.OrderID)
		w.text("campaign uid", c.CampaignUID)
	case *Settle:
		w.text("campaign uid", c.CampaignUID)
	default:
		w.fail("no command")
	}
	if len(w.buf)-len(dst) > MaxBytes {
		w.fail("size")
	}
	if w.beyond != "" {
		return dst, fmt.Errorf("%w: %s", ErrLimit, w.beyond)
	}
	return w.buf, nil
}

// writer collects bytes, and what first went wrong. It is used by value and its methods are called
// directly, so that it stays on the stack.
type writer struct {
	buf    []byte
	beyond string
}

func (w *writer) fail(what string) {
	if w.beyond == "" {
		w.beyond = what
	}
}

func (w *writer) header(e *Entry) {
	if e.Command == nil {
		return // said by Append
	}
	var flags byte
	if e.Trace != (Trace{}) {
		flags |= flagTrace
	}
	w.buf = append(w.buf, Format, byte(e.Command.kind()))
	w.u16(e.Rules)
	w.buf = append(w.buf, flags)
	w.u64(e.Writer)
	w.buf = binary.LittleEndian.AppendUint32(w.buf, e.Seq)
	if flags&flagTrace != 0 {
		w.buf = append(w.buf, e.Trace[:]...)
	}
}

func (w *writer) want(c *Want) {
	// Deterministic, so that one state has one encoding within one version of the library.
	buf, err := proto.MarshalOptions{Deterministic: true}.MarshalAppend(w.buf, c.Desired)
	if err != nil {
		w.fail("desired state: " + err.Error())
		return
	}
	w.buf = buf
}

func (w *writer) allocate(c *Allocate) {
	w.text("campaign uid", c.CampaignUID)
	w.i64(c.Generation)
	w.i64(c.TopUp)
	w.text("reason", c.RefusedReason)
	w.message(c.RefusedMessage)
	w.units(c.Add, MaxItems)
}

func (w *writer) place(c *Place) {
	var flags byte
	if c.TakeWhatFits {
		flags |= flagTakeWhatFits
	}
	w.buf = append(w.buf, flags)
	w.u64(c.BodyHash)
	w.text("order id", c.OrderID)
	w.text("campaign uid", c.CampaignUID)
	w.text("buyer id", c.BuyerID)
	w.text("owner id", c.OwnerID)
	w.text("address id", c.AddressID)
	w.units(c.Lines, MaxLines)
}

func (w *writer) pay(c *Pay) {
	w.i64(c.Fen)
	w.text("order id", c.OrderID)
	w.text("campaign uid", c.CampaignUID)
	w.text("payment id", c.PaymentID)
	w.text("buyer id", c.BuyerID)
	w.text("owner id", c.OwnerID)
	w.text("address id", c.AddressID)
	w.units(c.Lines, MaxLines)
}

func (w *writer) units(lines []Units, most int) {
	if len(lines) > most {
		w.fail("lines")
		return
	}
	w.u16(uint16(len(lines)))
	for i := range lines {
		w.text("sku", lines[i].SKU)
		if lines[i].Units < 0 {
			w.fail("units")
			return
		}
		w.buf = binary.AppendUvarint(w.buf, uint64(lines[i].Units))
	}
}

func (w *writer) text(what, s string) {
	if len(s) > MaxText || !utf8.ValidString(s) {
		w.fail(what)
		return
	}
	w.buf = append(append(w.buf, byte(len(s))), s...)
}

func (w *writer) message(s string) {
	if len(s) > MaxMessage || !utf8.ValidString(s) {
		w.fail("message")
		return
	}
	w.u16(uint16(len(s)))
	w.buf = append(w.buf, s...)
}

func (w *writer) u16(n uint16) { w.buf = binary.LittleEndian.AppendUint16(w.buf, n) }
func (w *writer) u64(n uint64) { w.buf = binary.LittleEndian.AppendUint64(w.buf, n) }
func (w *writer) i64(n int64)  { w.u64(uint64(n)) }
