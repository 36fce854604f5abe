// Package story is the life of a sale as its people see it: a brand's stock, a campaign, a store owner,
// buyers, a warehouse and the money, each step through the public interfaces and each result checked.
// It is played wherever the suite runs: processes of one machine, or pods of a cluster.
package story

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/qingcang/qingcang/hack/internal/actor"
	"github.com/qingcang/qingcang/hack/internal/campaigns"
	"github.com/qingcang/qingcang/hack/internal/client/fulfilment"
	"github.com/qingcang/qingcang/hack/internal/client/order"
	"github.com/qingcang/qingcang/hack/internal/poll"
	"github.com/qingcang/qingcang/hack/internal/suite"
)

// Stage is where a story is played.
type Stage struct {
	suite.Addresses
	Desk campaigns.Desk
	// MongoURI is the database that is searched for personal data at the end.
	MongoURI string
	// Dir is searched for it too, but for data/sim below it, which is the world outside.
	Dir string
	// Logs, where set, first fills Dir with the logs of what runs elsewhere.
	Logs func(ctx context.Context) error
	// Root is the repository, which carries the styles of the brand.
	Root string
}

// The story's campaign: two sizes of one style, one unit of a second SKU that two buyers want.
const (
	storyCampaign = "autumn-clearance"
	commissionBps = 1_000
	// hold is the shortest that a campaign may have.
	hold = 10 * time.Second
	// window is the return window of the story; the law's seven days are the default.
	window   = 3 * time.Second
	deadline = 40 * time.Second
)

// story is what the steps hand to each other.
type story struct {
	*Teller
	cast  *actor.Cast
	desk  campaigns.Desk
	stage Stage

	operations, carrier *actor.Staff
	brand               *actor.Brand
	goods               []goods // two sizes of one style, then a third SKU
	uid                 string
	owner               *actor.Person
	shareToken          string
	paidOrder           *order.Order
	buyer               *actor.Person
}

// goods are what the story knows of a SKU.
type goods struct {
	styleNo, sku                   string
	priceFen, settlementFen, units int64
}

// Tell plays the whole story through the public interfaces and checks each result.
func Tell(ctx context.Context, out io.Writer, s Stage) error {
	cast, err := actor.NewCast(s.Addresses)
	if err != nil {
		return err
	}
	t := &story{Teller: &Teller{Out: out}, cast: cast, desk: s.Desk, stage: s}
	for _, step := range []func(context.Context) error{
		t.brandApplies, t.brandSubmits, t.operationsApprove,
		t.wrongCampaigns, t.rightCampaign,
		t.ownerJoins, t.ownerShares,
		t.buyerBuys, t.holdRunsOut,
		t.warehouseShips, t.parcelSigned,
		t.saleEnds, t.moneyAddsUp, t.nothingLeaks,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// soon waits for what follows by itself from what was done, for deadline at the most.
func soon(ctx context.Context, check func(context.Context) error) error {
	return poll.Within(ctx, deadline, check)
}

// refusedWith reports whether an error is a service's refusal with that code.
func refusedWith(err error, code string) bool {
	var problem *actor.Problem
	return errors.As(err, &problem) && problem.Code == code
}

// address is somebody's invented address; nothingLeaks looks for its parts where they must not be.
func address(name string) fulfilment.Address {
	return fulfilment.Address{Name: name, Phone: "13912345678", Province: "浙江省", City: "杭州市", District: "西湖区", Street: "龙井路 88 号"}
}
