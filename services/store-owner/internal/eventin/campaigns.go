package eventin

import (
	"context"
	"net/http"
	"sync"

	"github.com/qingcang/qingcang/proto/eventkit"
	"github.com/qingcang/qingcang/services/internal/fault"
)

// CampaignTable is the topic of the campaigns' desired state.
const CampaignTable = "campaigns.v1"

var errNotRead = fault.New(fault.Unavailable, "campaigns_not_read", "the campaigns are being read; try again soon").RetryAfter(1)

// Campaigns knows which campaigns there are. It keeps their uids only.
type Campaigns struct {
	mu    sync.RWMutex
	known map[string]bool
	ready bool
}

// NewCampaigns returns a table that knows of none yet.
func NewCampaigns() *Campaigns { return &Campaigns{known: map[string]bool{}} }

// Known reports whether there is a campaign with this uid. Before the table is
// read it cannot say that there is none.
func (c *Campaigns) Known(uid string) (bool, error) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if !c.known[uid] && !c.ready {
		return false, errNotRead
	}
	return c.known[uid], nil
}

// Ready is a readiness check: nil once the table was read to its end.
func (c *Campaigns) Ready(*http.Request) error {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if !c.ready {
		return errNotRead
	}
	return nil
}

// Follow reads the topic until ctx ends.
func (c *Campaigns) Follow(ctx context.Context, conn *eventkit.Conn) error {
	return conn.Table(ctx, CampaignTable, c.apply, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.ready = true
	})
}

func (c *Campaigns) apply(uid string, value []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if value == nil {
		delete(c.known, uid)
	} else {
		c.known[uid] = true
	}
	return nil
}
