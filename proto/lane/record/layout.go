package record

import "errors"

// Format is the version of the layout in proto/lane/README.md. A new command, a new field or another
// meaning of a byte takes the next number: a reader that does not know it must stop.
const Format = 1

// Bounds of one entry. The broker takes 1 MiB in one batch.
const (
	MaxBytes = 800 << 10
	// MaxLines bounds the lines of one order.
	MaxLines = 500
	// MaxItems bounds the SKUs of one allocation, which are those of a campaign.
	MaxItems = 1_000
	// MaxText is the longest string in bytes, MaxMessage the longest sentence.
	MaxText    = 1<<8 - 1
	MaxMessage = 1<<16 - 1
)

var (
	// ErrVersion is an entry of a layout that this package does not know. Nobody can say what it does,
	// so it stops a lane as unknown rules do.
	ErrVersion = errors.New("a lane record of an unknown format version")
	// ErrMalformed is an entry that means nothing: every replica passes over it alike.
	ErrMalformed = errors.New("a malformed lane record")
	// ErrLimit is an entry that cannot be written.
	ErrLimit = errors.New("beyond what a lane record can hold")
)

// kind is the second byte of an entry: which command it carries.
type kind uint8

const (
	kindSwitchRules kind = iota + 1
	kindTick
	kindWant
	kindAllocate
	kindPlace
	kindPay
	kindCancel
	kindSettle
)

func (*SwitchRules) kind() kind { return kindSwitchRules }
func (*Tick) kind() kind        { return kindTick }
func (*Want) kind() kind        { return kindWant }
func (*Allocate) kind() kind    { return kindAllocate }
func (*Place) kind() kind       { return kindPlace }
func (*Pay) kind() kind         { return kindPay }
func (*Cancel) kind() kind      { return kindCancel }
func (*Settle) kind() kind      { return kindSettle }

// Flags of the header, and of a Place.
const (
	flagTrace        = 1 << 0
	flagTakeWhatFits = 1 << 0
)

// traceAt is where the trace stands, if there is one: behind version, kind, rules, flags, writer
// and count.
const traceAt = 1 + 1 + 2 + 1 + 8 + 4

// minLine is the size of the smallest line: the length of an empty SKU and one byte of units.
const minLine = 2

// maxCount is the size of the longest number of units.
const maxCount = 9
