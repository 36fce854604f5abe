package payment

// FinanceRefund is a refund as finance sees it.
type FinanceRefund struct {
	OrderID     string
	CampaignUID string
	Refund
}

// Refunds returns the refunds of a stage that do not run by themselves or have
// not come to an end, in no order: settled ones are found in the events. The
// caller may keep them.
func (s *Orders) Refunds(stage RefundStage) []FinanceRefund {
	orders := s.financed
	if stage == RefundAsked || stage == RefundAccepted {
		orders = s.open
	}
	var out []FinanceRefund
	for _, o := range orders {
		for _, r := range o.Refunds {
			if r.Stage == stage {
				out = append(out, FinanceRefund{OrderID: o.ID, CampaignUID: o.CampaignUID, Refund: r.clone()})
			}
		}
	}
	return out
}

// OfRefund returns the order of a refund that is under way, or is or was with
// finance.
func (s *Orders) OfRefund(id string) (orderID string, ok bool) {
	for _, orders := range []map[string]*Order{s.financed, s.open} {
		for _, o := range orders {
			if _, ok := o.refund(id); ok {
				return o.ID, true
			}
		}
	}
	return "", false
}
