package payment

import (
	fulfilmentv1 "github.com/qingcang/qingcang/proto/gen/fulfilment/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
)

// mature says, when nothing can come back any more, what is left of each line.
func (d *decision) mature(f *fulfilmentv1.ReturnWindowClosed) error {
	o := d.order
	if o.Verdict != Paid {
		if d.waitsForSale() {
			d.keep(f)
		}
		return nil
	}
	if o.Matured {
		return nil
	}
	var left []*orderv1.PaidLine
	for _, l := range o.Sale.Lines {
		if l.Kept() == 0 {
			continue
		}
		shares, err := o.Sale.split(l, l.Kept())
		if err != nil {
			return err
		}
		left = append(left, paidLine(l.SKU, l.Kept(), l.Price, l.Settlement, shares))
	}
	d.emit(&orderv1.OrderMatured{
		OrderId: o.ID, CampaignUid: o.CampaignUID, BrandId: o.Sale.BrandID, OwnerId: o.Sale.OwnerID, Lines: left,
	})
	return nil
}
