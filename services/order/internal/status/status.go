// Package status puts together what a campaign's lane and its money say, and
// decides when the campaign is over for both.
package status

import (
	"google.golang.org/protobuf/proto"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/services/order/internal/payment"
)

// Of returns the lane's status of a campaign with what its money says.
func Of(lane *campaignv1.Status, money payment.Counts) *campaignv1.Status {
	s := proto.CloneOf(lane)
	s.PaidOrders, s.FinalOrders, s.OpenPayments = money.Paid, money.Final, money.Open
	return s
}

// Settles reports whether a campaign can leave its lane: it sells nothing more,
// no hold is left, each sale is paid and final, and no money is on its way, but
// for refunds that a person has to see to.
//
// The lane's part is to be read before the money's: a sale that the lane shows
// must not be missed in the money, and one that the money shows only later is
// none that a drained lane can still make.
func Settles(lane *campaignv1.Status, money payment.Counts) bool {
	return lane.GetPhase() == campaignv1.Status_PHASE_DRAINED &&
		lane.GetHeldUnits() == 0 &&
		lane.GetSoldUnits() == money.PaidUnits &&
		money.Final == money.Paid &&
		money.Open == 0
}

// Settled reports whether the status is the last one.
func Settled(s *campaignv1.Status) bool { return s.GetPhase() == campaignv1.Status_PHASE_SETTLED }
