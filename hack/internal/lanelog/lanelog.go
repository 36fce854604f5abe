// Package lanelog reads the records of lanes for those who check the order service. It was written
// from proto/lane/README.md alone and shares no code with what writes them: a fault in the one is
// not repeated by the other.
package lanelog

import campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"

// Entry is one command of a lane and who wrote it.
type Entry struct {
	Rules  uint16
	Writer uint64
	Count  uint32
	// Trace is empty for none: trace id, parent id, flags.
	Trace []byte
	// Command is one of SwitchRules, Tick, Want, Allocate, Place, Pay, Cancel and Settle.
	Command any
}

// SwitchRules makes what stands behind it count under other rules.
type SwitchRules struct{ Rules uint16 }

// Tick moves the lane's time to a number of milliseconds since 1970, UTC.
type Tick struct{ At int64 }

// Want is what the operator wants of a campaign.
type Want struct{ Desired *campaignv1.Desired }

// Allocate is the answer of a brand's stock pool; one with a reason refuses.
type Allocate struct {
	Campaign          string
	Generation, TopUp int64
	Reason, Message   string
	Add               []Line
}

// Line is a number of units of one SKU.
type Line struct {
	SKU   string
	Units int64
}

// Place asks for an order.
type Place struct {
	TakeWhatFits                           bool
	BodyHash                               uint64
	Order, Campaign, Buyer, Owner, Address string
	Lines                                  []Line
}

// Pay says that an order was paid, and what it held.
type Pay struct {
	Fen                                             int64
	Order, Campaign, Payment, Buyer, Owner, Address string
	Lines                                           []Line
}

// Cancel gives an order up.
type Cancel struct{ Order, Campaign string }

// Settle ends a campaign for its lane.
type Settle struct{ Campaign string }
