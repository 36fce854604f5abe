package recount

import (
	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
)

// stock is a brand's units of one SKU.
type stock struct{ approved, allocated int64 }

// pools are what brand-intake's journal says of stock.
type pools struct {
	r         *Result
	submitted map[string][]*brandv1.Goods // by submission
	stock     map[[2]string]*stock        // by brand and SKU
	given     map[allocation]map[string]int64
	back      map[sku]int64
}

// pool checks that no brand gave more than it has, and that the lanes' stock is what was given and
// nothing else.
func pool(r *Result, journal Journal, s *sales) {
	p := &pools{
		r: r, submitted: map[string][]*brandv1.Goods{}, stock: map[[2]string]*stock{},
		given: map[allocation]map[string]int64{}, back: map[sku]int64{},
	}
	for _, shard := range journal {
		for _, fact := range shard {
			p.fact(fact)
		}
	}
	p.compare(s)
}

func (p *pools) of(brand, name string) *stock {
	at := [2]string{brand, name}
	if p.stock[at] == nil {
		p.stock[at] = &stock{}
	}
	return p.stock[at]
}

func (p *pools) fact(fact any) {
	switch f := fact.(type) {
	case *brandv1.SubmissionRowsTaken:
		p.submitted[f.GetSubmissionId()] = append(p.submitted[f.GetSubmissionId()], f.GetGoods()...)
	case *brandv1.SubmissionApproved:
		for _, g := range p.submitted[f.GetSubmissionId()] {
			p.of(f.GetBrandId(), g.GetSku()).approved += g.GetUnits()
		}
		delete(p.submitted, f.GetSubmissionId())
	case *brandv1.StockAllocated:
		p.allocated(f)
	case *brandv1.StockReleased:
		for _, u := range f.GetUnits() {
			p.of(f.GetBrandId(), u.GetSku()).allocated -= u.GetUnits()
			p.back[sku{f.GetCampaignUid(), u.GetSku()}] += u.GetUnits()
		}
	}
}

func (p *pools) allocated(f *brandv1.StockAllocated) {
	at := allocation{f.GetCampaignUid(), f.GetGeneration(), f.GetTopUp()}
	if _, again := p.given[at]; again {
		p.r.fault(nil, 0, "generation %d of campaign %s got stock twice", at.generation, at.campaign)
	} else {
		p.given[at] = map[string]int64{}
	}
	for _, u := range f.GetAdd() {
		p.given[at][u.GetSku()] += u.GetUnits()
		s := p.of(f.GetBrandId(), u.GetSku())
		s.allocated += u.GetUnits()
		if over := min(s.allocated-s.approved, u.GetUnits()); over > 0 {
			p.r.fault(&p.r.OversoldUnits, over, "%s gave %d units of %s to campaigns and has %d", f.GetBrandId(), s.allocated, u.GetSku(), s.approved)
		}
	}
}

// compare holds the lanes' stock against what was given and what came back.
func (p *pools) compare(s *sales) {
	for at, units := range s.answered {
		for _, name := range sorted(units) {
			if over := units[name] - p.given[at][name]; over > 0 {
				p.r.fault(&p.r.OversoldUnits, over, "generation %d of campaign %s has %d units of %s in the lane, of which its brand gave %d",
					at.generation, at.campaign, units[name], name, p.given[at][name])
			}
		}
	}
	for at, units := range p.given {
		for _, name := range sorted(units) {
			if missing := units[name] - s.answered[at][name]; missing > 0 {
				p.r.fault(nil, 0, "%d units of %s were given to generation %d of campaign %s and never came", missing, name, at.generation, at.campaign)
			}
		}
	}
	for where, units := range s.letGo {
		if p.back[where] != units {
			p.r.fault(nil, 0, "campaign %s let %d units of %s go, of which %d are back in the pool", where.campaign, units, where.sku, p.back[where])
		}
	}
	for where, units := range p.back {
		if over := units - s.letGo[where]; over > 0 && s.letGo[where] == 0 {
			p.r.fault(&p.r.OversoldUnits, over, "%d units of %s came back from campaign %s, which let none go", units, where.sku, where.campaign)
		}
	}
}
