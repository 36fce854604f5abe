package view

import (
	"time"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

// paceWindow is over how long a pace is taken: the operator writes counts every 2 s while a campaign
// sells, so a shorter one would show the writes and not the sale.
const paceWindow = 10 * time.Second

// Pace is how fast a campaign sells.
type Pace struct {
	// PaidPerSecond are orders paid, nil before two looks have been made.
	PaidPerSecond *float64 `json:"paidOrdersPerSecond"`
	// TakenPerSecond are units sold or newly held, less those whose hold ran out, and not under 0.
	TakenPerSecond *float64 `json:"takenUnitsPerSecond"`
}

// Pacer takes the pace from one look to the next.
type Pacer struct{ marks []mark }

// mark is what a campaign had sold at a time.
type mark struct {
	at          time.Time
	paid, taken int64
}

// Look takes a status in and returns the pace up to it.
func (p *Pacer) Look(s *v1alpha1.CampaignStatus, now time.Time) Pace {
	p.marks = append(p.marks, mark{now, s.PaidOrders, s.SoldUnits + s.HeldUnits})
	for len(p.marks) > 2 && now.Sub(p.marks[1].at) >= paceWindow {
		p.marks = p.marks[1:]
	}
	first, last := p.marks[0], p.marks[len(p.marks)-1]
	took := last.at.Sub(first.at).Seconds()
	if took <= 0 {
		return Pace{}
	}
	paid, taken := float64(last.paid-first.paid)/took, max(0, float64(last.taken-first.taken)/took)
	return Pace{PaidPerSecond: &paid, TakenPerSecond: &taken}
}
