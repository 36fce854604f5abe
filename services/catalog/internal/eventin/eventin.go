// Package eventin puts what other services say on the shelf. What cannot be decoded is parked:
// logged by its place in the log, where it stays.
package eventin

import (
	"log/slog"

	"google.golang.org/protobuf/proto"

	"github.com/qingcang/qingcang/proto/eventkit"
	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/services/catalog/internal/app"
	"github.com/qingcang/qingcang/services/catalog/internal/shelf"
)

// The topics that the catalogue is folded from.
const (
	CampaignTopic = "campaigns.v1"
	StatusTopic   = "campaign-status.v1"
	BrandTopic    = "brand.events.v1"
)

// Campaigns takes in the operator's desired states, for Conn.Table.
func Campaigns(c *app.Catalog, log *slog.Logger) func(uid string, value []byte) error {
	return func(uid string, value []byte) error {
		if value == nil {
			c.Learn(func(s *shelf.Shelf) { s.Want(uid, nil) })
			return nil
		}
		desired := &campaignv1.Desired{}
		if err := proto.Unmarshal(value, desired); err != nil {
			log.Error("value parked", "topic", CampaignTopic, "key", uid, "err", err)
			return nil
		}
		c.Learn(func(s *shelf.Shelf) { s.Want(uid, desired) })
		return nil
	}
}

// Statuses takes in what lanes say of their campaigns, for Conn.Table.
func Statuses(c *app.Catalog, log *slog.Logger) func(uid string, value []byte) error {
	return func(uid string, value []byte) error {
		if value == nil {
			c.Learn(func(s *shelf.Shelf) { s.Report(uid, nil) })
			return nil
		}
		status := &campaignv1.Status{}
		if err := proto.Unmarshal(value, status); err != nil {
			log.Error("value parked", "topic", StatusTopic, "key", uid, "err", err)
			return nil
		}
		c.Learn(func(s *shelf.Shelf) { s.Report(uid, status) })
		return nil
	}
}

// Brands takes in approved goods and trials, for Conn.Follow: without its dropping of repeats, an old
// event would bring an old description back.
func Brands(c *app.Catalog, log *slog.Logger) func(eventkit.Record) error {
	return func(r eventkit.Record) error {
		message, err := r.Event.Decode()
		if err != nil {
			log.Error("event parked", "topic", r.Topic, "partition", r.Partition, "offset", r.Offset, "err", err)
			return nil
		}
		switch m := message.(type) {
		case *brandv1.GoodsApproved:
			c.Learn(func(s *shelf.Shelf) { s.Approve(m) })
		case *brandv1.StyleTried:
			c.Learn(func(s *shelf.Shelf) { s.Try(m) })
		}
		return nil
	}
}
