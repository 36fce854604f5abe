package payment

import (
	"slices"

	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/internal/book"
	"github.com/qingcang/qingcang/services/internal/money"
)

// reasonSplit is why a confirmed payment goes back all the same: its lines do
// not add up to what was paid. It cannot be while lane and prepay agree on the
// price. If they ever do not, the buyer gets the money, the books stay even, and
// the campaign, which sold more orders than were paid, does not settle unseen.
const reasonSplit = "split_differs"

func unwantedRefundID(orderID string) string { return refundID(orderID, "unwanted", "") }

// confirm makes a sale of the payment that the lane counted.
func (d *decision) confirm(f *orderv1.OrderConfirmed) error {
	o := d.order
	switch {
	case o.undecided():
	case d.waitsForSale():
		d.keep(f)
		return nil
	default:
		return nil
	}
	lines, shares, err := splitLines(f)
	if err != nil || shares.Sum() != o.Receipt.Fen {
		return d.giveBack(unwantedRefundID(o.ID), o.Receipt.Fen, reasonSplit)
	}
	sellers := parties{campaign: f.GetCampaignUid(), brand: f.GetBrandId(), owner: f.GetOwnerId()}
	legs := append(sellers.credit(shares), book.Debit(string(PaymentInTransit), o.Receipt.Fen))
	posting, err := post(PaymentID(o.ID)+"/paid", legs...)
	if err != nil {
		return err
	}
	waiting := slices.Clone(o.Pending)
	d.emit(&orderv1.OrderPaid{
		OrderId: o.ID, PaymentId: PaymentID(o.ID), CampaignUid: f.GetCampaignUid(), BrandId: f.GetBrandId(),
		BuyerId: f.GetBuyerId(), OwnerId: f.GetOwnerId(), AddressId: f.GetAddressId(), Lines: lines,
		CommissionBps: f.GetCommissionBps(), ReturnWindow: f.GetReturnWindow(),
		Fen: int64(o.Receipt.Fen), Posting: posting,
	})
	return d.take(waiting)
}

// unwanted gives the money back that the lane has no use for.
func (d *decision) unwanted(f *orderv1.PaymentUnwanted) error {
	switch {
	case d.order.undecided():
		return d.giveBack(unwantedRefundID(d.order.ID), d.order.Receipt.Fen, f.GetReason())
	case d.waitsForSale():
		d.keep(f)
	}
	return nil
}

// splitLines splits every line of a confirmed order and adds the shares up.
func splitLines(f *orderv1.OrderConfirmed) ([]*orderv1.PaidLine, money.Shares, error) {
	lines, total := make([]*orderv1.PaidLine, 0, len(f.GetLines())), money.Shares{}
	for _, l := range f.GetLines() {
		shares, err := money.Split(money.Terms{
			Price: money.Fen(l.GetPriceFen()), Settlement: money.Fen(l.GetSettlementFen()),
			Commission: money.Bps(f.GetCommissionBps()), Attributed: f.GetOwnerId() != "",
		}, l.GetUnits())
		if err != nil {
			return nil, money.Shares{}, err
		}
		if total, err = addShares(total, shares); err != nil {
			return nil, money.Shares{}, err
		}
		lines = append(lines, paidLine(l.GetSku(), l.GetUnits(), money.Fen(l.GetPriceFen()), money.Fen(l.GetSettlementFen()), shares))
	}
	return lines, total, nil
}

// addShares adds and refuses a total that does not fit; each part is then no
// greater than the total.
func addShares(a, b money.Shares) (money.Shares, error) {
	if _, err := a.Sum().Add(b.Sum()); err != nil {
		return money.Shares{}, err
	}
	return a.Add(b), nil
}

func paidLine(sku string, units int64, price, settlement money.Fen, s money.Shares) *orderv1.PaidLine {
	return &orderv1.PaidLine{
		Sku: sku, Units: units, PriceFen: int64(price), SettlementFen: int64(settlement),
		BrandFen: int64(s.Brand), OwnerFen: int64(s.Owner), PlatformFen: int64(s.Platform),
	}
}
