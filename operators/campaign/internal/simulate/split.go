package simulate

// wholeBps is the whole of something in basis points.
const wholeBps = 10_000

// Split is where the money of sold units goes. The parts add up to Gross.
type Split struct {
	// GrossFen is what buyers paid.
	GrossFen int64 `json:"grossFen"`
	// BrandFen is the settlement, owed whatever owners get.
	BrandFen int64 `json:"brandFen"`
	// OwnerFen is the seller's, SecondFen that of the owner who brought him.
	OwnerFen  int64 `json:"ownerFen"`
	SecondFen int64 `json:"secondFen"`
	// PlatformFen is the rest. Under 0 the platform pays for its sales.
	PlatformFen int64 `json:"platformFen"`
}

// PayoutFen is what owners get together.
func (s Split) PayoutFen() int64 { return s.OwnerFen + s.SecondFen }

// plus adds two splits up.
func (s Split) plus(t Split) Split {
	return Split{
		GrossFen: s.GrossFen + t.GrossFen, BrandFen: s.BrandFen + t.BrandFen,
		OwnerFen: s.OwnerFen + t.OwnerFen, SecondFen: s.SecondFen + t.SecondFen, PlatformFen: s.PlatformFen + t.PlatformFen,
	}
}

// line splits one order's line as the order service does (the commission is rounded down) and its
// commission as the programme says (each part is rounded down). Many small lines never pay more than one
// line of all units, because rounding down twice loses what rounding down once may keep.
func line(item Item, units, commissionBps int64, at rates) Split {
	gross, brand, whole := item.PriceFen*units, item.SettlementFen*units, commission(item, units, commissionBps)
	owner, second := whole*at.own/wholeBps, whole*at.second/wholeBps
	return Split{GrossFen: gross, BrandFen: brand, OwnerFen: owner, SecondFen: second, PlatformFen: gross - brand - owner - second}
}

// commission is what a line sets aside for owners.
func commission(item Item, units, commissionBps int64) int64 {
	return item.PriceFen * units * commissionBps / wholeBps
}

// rates are the parts of a commission at a rank and a depth, in basis points.
type rates struct{ own, second int64 }
