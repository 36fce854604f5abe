// Package door is what every peer does before and after its reservation: check the buyer's token
// with the services' own code, decode the order strictly, answer in the contract's shape. JSON goes
// through version 2 of Go's package, a quarter of the cost of version 1, as it does in the services.
package door

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/go-json-experiment/json"

	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/ids"
)

const (
	// maxBodyBytes is what the order service takes.
	maxBodyBytes = 128 << 10
	maxUnits     = 1_000_000
	maxLines     = 500
	maxName      = 64
	// holdTime is how long a reservation stands; nothing here ends it, which favours the peers.
	holdTime = 30 * time.Minute
	route    = "/v1/campaigns/:campaignUid/orders"
	// PriceFen is what every unit costs.
	PriceFen = 9_900
)

// Order is one reservation that is asked for. The bench's orders have one line.
type Order struct {
	ID, Campaign, SKU, Buyer, Address string
	Units                             int64
	Deadline                          time.Time
}

// Reserver holds units for an order once, however often it is asked; false means sold out.
type Reserver interface {
	Reserve(ctx context.Context, o Order) (held bool, err error)
}

// Everything is a Reserver that has no stock to keep: the cost of a handler alone.
type Everything struct{}

// Reserve holds whatever is asked for.
func (Everything) Reserve(context.Context, Order) (bool, error) { return true, nil }

type request struct {
	ShareToken   string `json:"shareToken"`
	AddressID    string `json:"addressId"`
	Lines        []line `json:"lines"`
	TakeWhatFits bool   `json:"takeWhatFits"`
}

type line struct {
	SKU   string `json:"sku"`
	Units int64  `json:"units"`
}

type answer struct {
	OrderID     string       `json:"orderId"`
	CampaignUID string       `json:"campaignUid"`
	State       string       `json:"state"`
	Lines       []pricedLine `json:"lines"`
	Dropped     []line       `json:"dropped"`
	Fen         int64        `json:"fen"`
	RefundedFen int64        `json:"refundedFen"`
	Deadline    time.Time    `json:"deadline"`
}

type pricedLine struct {
	SKU      string `json:"sku"`
	Units    int64  `json:"units"`
	PriceFen int64  `json:"priceFen"`
}

// New returns a gin engine whose route of orders reserves.
func New(buyers *auth.Keys, stock Reserver) http.Handler {
	engine := bare()
	authenticate := buyers.Authenticate(auth.Buyer)
	engine.POST(route, func(c *gin.Context) {
		buyer, err := authenticate(c.Request)
		if err != nil {
			c.AbortWithStatus(http.StatusUnauthorized)
			return
		}
		o, err := decode(c, buyer)
		if err != nil {
			c.AbortWithStatus(http.StatusBadRequest)
			return
		}
		held, err := stock.Reserve(c.Request.Context(), o)
		switch {
		case err != nil:
			_ = c.AbortWithError(http.StatusServiceUnavailable, err)
		case !held:
			c.AbortWithStatus(http.StatusConflict)
		default:
			show(c, o)
		}
	})
	return engine
}

// NewNoop returns a gin engine that answers 201 to every order and reads nothing of it.
func NewNoop() http.Handler {
	engine := bare()
	engine.POST(route, func(c *gin.Context) { c.Status(http.StatusCreated) })
	return engine
}

func bare() *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.GET("/readyz", func(c *gin.Context) { c.Status(http.StatusOK) })
	return engine
}

var errOrder = errors.New("not an order")

func decode(c *gin.Context, buyer auth.Principal) (Order, error) {
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, maxBodyBytes))
	if err != nil {
		return Order{}, err
	}
	var r request
	if err := json.Unmarshal(body, &r, json.RejectUnknownMembers(true)); err != nil {
		return Order{}, err
	}
	campaign, key := c.Param("campaignUid"), c.GetHeader("Idempotency-Key")
	if len(campaign) > maxName || !goodKey(key) || !r.good() {
		return Order{}, errOrder
	}
	return Order{
		ID:       ids.Derive("ord", buyer.Scope(), "POST /v1/orders", campaign, key),
		Campaign: campaign, SKU: r.Lines[0].SKU, Units: r.Lines[0].Units,
		Buyer: buyer.ID, Address: r.AddressID, Deadline: time.Now().Add(holdTime).UTC(),
	}, nil
}

// good holds the body to the contract's bounds.
func (r *request) good() bool {
	if ids.Check("addr", r.AddressID) != nil || len(r.Lines) == 0 || len(r.Lines) > maxLines {
		return false
	}
	for _, l := range r.Lines {
		if l.SKU == "" || len(l.SKU) > maxName || l.Units < 1 || l.Units > maxUnits {
			return false
		}
	}
	return true
}

func goodKey(key string) bool {
	if len(key) < 8 || len(key) > 64 {
		return false
	}
	for _, c := range []byte(key) {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

func show(c *gin.Context, o Order) {
	body, err := json.Marshal(answer{
		OrderID: o.ID, CampaignUID: o.Campaign, State: "held", Dropped: []line{},
		Lines: []pricedLine{{SKU: o.SKU, Units: o.Units, PriceFen: PriceFen}},
		Fen:   PriceFen * o.Units, Deadline: o.Deadline,
	})
	if err != nil {
		_ = c.AbortWithError(http.StatusInternalServerError, err)
		return
	}
	c.Data(http.StatusCreated, gin.MIMEJSON, body)
}
