package payment

import (
	"slices"

	fulfilmentv1 "github.com/qingcang/qingcang/proto/gen/fulfilment/v1"
	moneyv1 "github.com/qingcang/qingcang/proto/gen/money/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/internal/book"
	"github.com/qingcang/qingcang/services/internal/money"
)

// What takes units of a sale back.
const (
	reasonShort    = "short"
	reasonReturned = "returned"
)

// reversal is one cause that takes units back. All its lines make one refund:
// the provider takes at most 50 for one payment.
type reversal struct {
	reason  string
	causeID string
	units   []skuUnits
	// fact says of one line what happened to it.
	fact func(refundID string, line *orderv1.ReversedLine, posting *moneyv1.Posting) Fact
}

type skuUnits struct {
	sku   string
	units int64
}

// short gives back the money of what the warehouse did not have.
func (d *decision) short(f *fulfilmentv1.ParcelShipped) error {
	r := reversal{reason: reasonShort, causeID: f.GetShippingOrderId()}
	for _, l := range f.GetLines() {
		r.add(l.GetSku(), l.GetLacknum())
	}
	r.fact = func(refundID string, line *orderv1.ReversedLine, posting *moneyv1.Posting) Fact {
		return &orderv1.LineShort{
			OrderId: d.order.ID, CampaignUid: d.order.CampaignUID, BrandId: d.order.Sale.BrandID, OwnerId: d.order.Sale.OwnerID,
			RefundId: refundID, Line: line, Posting: posting,
		}
	}
	return d.takeBack(f, r)
}

// returned gives back the money of what came back to the warehouse.
func (d *decision) returned(f *fulfilmentv1.ReturnReceived) error {
	r := reversal{reason: reasonReturned, causeID: f.GetReturnId()}
	for _, l := range f.GetLines() {
		r.add(l.GetSku(), l.GetUnits())
	}
	r.fact = func(refundID string, line *orderv1.ReversedLine, posting *moneyv1.Posting) Fact {
		return &orderv1.LineReturned{
			OrderId: d.order.ID, CampaignUid: d.order.CampaignUID, BrandId: d.order.Sale.BrandID, OwnerId: d.order.Sale.OwnerID,
			RefundId: refundID, Line: line, Posting: posting,
		}
	}
	return d.takeBack(f, r)
}

// add sums the units of a SKU that is named twice; one line has one posting.
func (r *reversal) add(sku string, units int64) {
	if units <= 0 {
		return
	}
	i := slices.IndexFunc(r.units, func(u skuUnits) bool { return u.sku == sku })
	if i < 0 {
		r.units = append(r.units, skuUnits{sku: sku, units: units})
		return
	}
	r.units[i].units += units
}

// takeBack reverses the split of the units and asks for one refund. After the
// order matured, or for a cause heard before, it does nothing.
func (d *decision) takeBack(f Fact, r reversal) error {
	o := d.order
	if len(r.units) == 0 || o.Matured {
		return nil
	}
	if o.Verdict != Paid {
		if d.waitsForSale() {
			d.keep(f)
		}
		return nil
	}
	id := refundID(o.ID, r.reason, r.causeID)
	if slices.Contains(o.Sale.Reversals, id) {
		return nil
	}
	var total money.Fen
	for _, u := range r.units {
		fen, err := d.takeBackLine(id, u, r)
		if err != nil {
			return err
		}
		total += fen // no more than the order's amount, so no overflow
	}
	if total > 0 {
		d.emit(&orderv1.RefundRequested{
			OrderId: o.ID, PaymentId: PaymentID(o.ID), RefundId: id, Fen: int64(total), Reason: r.reason,
		})
	}
	return nil
}

// takeBackLine reverses units of one line, at most those that the buyer keeps:
// no cause can take back more than was paid.
func (d *decision) takeBackLine(refundID string, u skuUnits, r reversal) (money.Fen, error) {
	i := d.order.line(u.sku)
	if i < 0 {
		return 0, nil
	}
	line := d.order.Sale.Lines[i]
	units := min(u.units, line.Kept())
	if units == 0 {
		return 0, nil
	}
	back, err := d.order.Sale.back(line, units)
	if err != nil {
		return 0, err
	}
	legs := append(d.order.parties().debit(back), book.Credit(string(RefundInTransit), back.Sum()))
	posting, err := post(refundID+"/"+u.sku, legs...)
	if err != nil {
		return 0, err
	}
	d.emit(r.fact(refundID, &orderv1.ReversedLine{
		Sku: u.sku, Units: units,
		BrandFen: int64(back.Brand), OwnerFen: int64(back.Owner), PlatformFen: int64(back.Platform),
	}, posting))
	return back.Sum(), nil
}

// split shares out the money of some units of a line of the sale.
func (s *Sale) split(l Line, units int64) (money.Shares, error) {
	return money.Split(money.Terms{
		Price: l.Price, Settlement: l.Settlement, Commission: s.Commission, Attributed: s.OwnerID != "",
	}, units)
}
