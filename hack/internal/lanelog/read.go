package lanelog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
)

var (
	// ErrFormat is a record in a format that this package does not know: nobody may read on.
	ErrFormat = errors.New("a lane record in an unknown format")
	// ErrMalformed is a record that means nothing: who reads the lane passes over it.
	ErrMalformed = errors.New("a lane record that means nothing")
)

const (
	format   = 1
	maxBytes = 800 << 10
	maxLines = 500
	maxItems = 1_000
)

// Elements of the layout that need more than their type.
type (
	message struct{ to *string }
	trace   struct{ to *[]byte }
	flag    struct{ to *bool } // a byte in which bit 0 alone may be set
	lines   struct {
		to   *[]Line
		most int
	}
	desired struct{ to *campaignv1.Desired }
)

// Read reads the value of one record.
func Read(value []byte) (Entry, error) {
	if len(value) > 0 && value[0] != format {
		return Entry{}, fmt.Errorf("%w: %d", ErrFormat, value[0])
	}
	if len(value) == 0 || len(value) > maxBytes {
		return Entry{}, fmt.Errorf("%w: %d bytes", ErrMalformed, len(value))
	}
	var (
		e      Entry
		kind   uint8
		traced bool
	)
	rest, err := fill(value[1:], &kind, &e.Rules, flag{&traced}, &e.Writer, &e.Count)
	if err == nil && traced {
		rest, err = fill(rest, trace{&e.Trace})
	}
	if err == nil {
		rest, err = e.command(kind, rest)
	}
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%d bytes behind the end", len(rest))
	}
	if err != nil {
		return Entry{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return e, nil
}

// command reads the elements of each kind in the order of the table in proto/lane/README.md.
func (e *Entry) command(kind uint8, rest []byte) ([]byte, error) {
	var err error
	switch kind {
	case 1:
		var c SwitchRules
		rest, err = fill(rest, &c.Rules)
		e.Command = c
	case 2:
		var c Tick
		rest, err = fill(rest, &c.At)
		e.Command = c
	case 3:
		c := Want{Desired: &campaignv1.Desired{}}
		rest, err = fill(rest, desired{c.Desired})
		e.Command = c
	case 4:
		var c Allocate
		rest, err = fill(rest, &c.Campaign, &c.Generation, &c.TopUp, &c.Reason, message{&c.Message}, lines{&c.Add, maxItems})
		e.Command = c
	case 5:
		var c Place
		rest, err = fill(rest, flag{&c.TakeWhatFits}, &c.BodyHash,
			&c.Order, &c.Campaign, &c.Buyer, &c.Owner, &c.Address, lines{&c.Lines, maxLines})
		e.Command = c
	case 6:
		var c Pay
		rest, err = fill(rest, &c.Fen,
			&c.Order, &c.Campaign, &c.Payment, &c.Buyer, &c.Owner, &c.Address, lines{&c.Lines, maxLines})
		e.Command = c
	case 7:
		var c Cancel
		rest, err = fill(rest, &c.Order, &c.Campaign)
		e.Command = c
	case 8:
		var c Settle
		rest, err = fill(rest, &c.Campaign)
		e.Command = c
	default:
		err = fmt.Errorf("no command has kind %d", kind)
	}
	return rest, err
}

// fill reads elements one after the other and returns what is left.
func fill(rest []byte, elements ...any) ([]byte, error) {
	for _, element := range elements {
		n, err := one(rest, element)
		if err != nil {
			return nil, err
		}
		rest = rest[n:]
	}
	return rest, nil
}

// one reads an element and returns its size.
func one(from []byte, element any) (int, error) {
	switch to := element.(type) {
	case *string:
		return text(from, 1, to)
	case message:
		return text(from, 2, to.to)
	case flag:
		if len(from) == 0 || from[0] > 1 {
			return 0, errors.New("no flags, or unknown ones")
		}
		*to.to = from[0] == 1
		return 1, nil
	case trace:
		const size = 25
		if len(from) < size || [size]byte(from) == [size]byte{} {
			return 0, errors.New("no trace where one is announced")
		}
		*to.to = append([]byte(nil), from[:size]...)
		return size, nil
	case lines:
		return to.read(from)
	case desired:
		return len(from), proto.Unmarshal(from, to.to)
	default: // numbers of a fixed size
		return binary.Decode(from, binary.LittleEndian, to)
	}
}

// text reads a text whose length has a number of bytes of its own.
func text(from []byte, lengthBytes int, to *string) (int, error) {
	if len(from) < lengthBytes {
		return 0, errors.New("a text has no length")
	}
	n := int(from[0])
	if lengthBytes == 2 {
		n = int(binary.LittleEndian.Uint16(from))
	}
	if len(from) < lengthBytes+n {
		return 0, fmt.Errorf("%d of the %d bytes of a text", len(from)-lengthBytes, n)
	}
	*to = string(from[lengthBytes : lengthBytes+n])
	if !utf8.ValidString(*to) {
		return 0, errors.New("a text that is not UTF-8")
	}
	return lengthBytes + n, nil
}

func (l lines) read(from []byte) (int, error) {
	var n uint16
	at, err := binary.Decode(from, binary.LittleEndian, &n)
	if err != nil {
		return 0, err
	}
	if int(n) > l.most {
		return 0, fmt.Errorf("%d lines", n)
	}
	for range n {
		var line Line
		size, err := text(from[at:], 1, &line.SKU)
		if err != nil {
			return 0, err
		}
		at += size
		units, size := binary.Uvarint(from[at:])
		if size <= 0 || units > math.MaxInt64 || size != len(binary.AppendUvarint(nil, units)) {
			return 0, errors.New("a number of units that is none")
		}
		line.Units = int64(units)
		at += size
		*l.to = append(*l.to, line)
	}
	return at, nil
}
