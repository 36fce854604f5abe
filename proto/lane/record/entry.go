// Package record is the layout of a lane's log: one value of the Kafka partition is one Entry. The
// bytes are described in proto/lane/README.md, so that a reader can be written without this package.
package record

import (
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
)

// Entry is one command of a lane and who wrote it. Commands count in the order of the log.
type Entry struct {
	// Rules is the number of the rules under which the writer wrote this entry, 1 to 65,535.
	Rules uint16
	// Writer is a random number of the process that wrote the entry, and Seq counts its entries: by
	// both it knows its own when it reads them back. No decision depends on them.
	Writer uint64
	Seq    uint32
	// Trace is the trace of whoever asked, for the events that the entry causes; all zero for none.
	// No decision depends on it.
	Trace Trace
	// Command is what is to be done; it is never nil in an entry that was decoded.
	Command Command
}

// Trace is a W3C Trace Context: trace id (16 bytes), parent id (8), flags (1). Zero is none.
type Trace [25]byte

// Command is one of *SwitchRules, *Tick, *Want, *Allocate, *Place, *Pay, *Cancel and *Settle.
type Command interface{ kind() kind }

// SwitchRules makes the entries behind it count under the rules number given, if that is above the one
// that counts. It is appended only after a binary that knows them runs in every replica.
type SwitchRules struct{ Rules uint16 }

// Tick moves ledger time, which is the greatest tick so far.
type Tick struct {
	// At is in milliseconds since 1970, UTC.
	At int64
}

// Want carries a campaign's desired state; one with a generation not above the known is ignored.
type Want struct{ Desired *campaignv1.Desired }

// Allocate brings stock, or the pool's refusal. It is the only source of stock in a lane.
type Allocate struct {
	CampaignUID string
	// Generation is the desired generation that it answers. Each generation is answered once.
	Generation int64
	// TopUp is 0 in the answer to a generation. Above 0 it counts the allocations of the campaign
	// beyond those answers: they come in ascending order, and each number counts once.
	TopUp int64
	// RefusedReason and RefusedMessage are set when the pool refused the generation.
	RefusedReason, RefusedMessage string
	// Add is what comes on top, by SKU.
	Add []Units
}

// Units is a number of units of one SKU.
type Units struct {
	SKU   string
	Units int64
}

// Place asks for an order: it holds stock until the campaign's hold time is over.
type Place struct {
	OrderID, CampaignUID, BuyerID string
	// OwnerID earns the commission; empty when nobody does.
	OwnerID   string
	AddressID string
	// BodyHash is the first 8 bytes of SHA-256 of the request: the same order id with another hash is
	// a misuse of the idempotency key.
	BodyHash uint64
	// TakeWhatFits drops the lines that cannot be held instead of refusing the order.
	TakeWhatFits bool
	Lines        []Units
}

// Pay says that the money for an order is here. It carries what the order held, as whoever saw it
// decided read it from the log: a lane does not keep the particulars of orders that hold nothing.
type Pay struct {
	OrderID, CampaignUID, PaymentID string
	Fen                             int64
	BuyerID, OwnerID, AddressID     string
	// Lines are those that were held; none if the writer knows no such order.
	Lines []Units
}

// Cancel gives a held order up.
type Cancel struct{ OrderID, CampaignUID string }

// Settle retires a campaign from the ledger: each of its payments is settled and each order final.
type Settle struct{ CampaignUID string }
