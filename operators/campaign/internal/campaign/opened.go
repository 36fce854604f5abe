package campaign

import (
	"fmt"
	"strings"
	"time"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

// Admission knows by the phase in the status that a sale has opened. While the operator is away it takes
// changes that it would have refused had it known; they end here. What admission would not let anybody put
// back is left as it was published, the rest is refused until it is put back.

// promised is the record that a sale runs under and must not fall short of, nil before it has opened. A
// record that has replaced a newer one promises nothing.
func (f facts) promised(s Snapshot) *campaignv1.Desired {
	last := s.last()
	if rank(f.phase()) < rank(v1alpha1.PhaseLive) || s.newest() > last.GetGeneration() || s.replaced() {
		return nil
	}
	return last
}

// keep leaves in the wanted record what is history: when the sale began, where its return windows begin,
// and, once it has closed, that it ended no later.
func (f facts) keep(promised *campaignv1.Desired) {
	if promised == nil {
		return
	}
	f.want.StartAt = promised.GetStartAt()
	f.want.ReturnWindow.From = promised.GetReturnWindow().GetFrom()
	if rank(f.phase()) > rank(v1alpha1.PhaseLive) && f.want.GetEndAt().AsTime().After(promised.GetEndAt().AsTime()) {
		f.want.EndAt = promised.GetEndAt()
	}
}

// broken names what of a promise the wanted record does not keep, each with what to put back.
func broken(promised, want *campaignv1.Desired) []string {
	prices := make(map[string]int64, len(want.GetItems()))
	for _, i := range want.GetItems() {
		prices[i.GetSku()] = i.GetPriceFen()
	}
	var lost, dearer, all []string
	for _, i := range promised.GetItems() {
		switch price, listed := prices[i.GetSku()]; {
		case !listed:
			lost = append(lost, i.GetSku())
		case price > i.GetPriceFen():
			dearer = append(dearer, fmt.Sprintf("%s to %d", i.GetSku(), i.GetPriceFen()))
		}
	}
	if len(lost) > 0 {
		all = append(all, "put back into items, with units 0 to take it off the sale: "+named(lost))
	}
	if len(dearer) > 0 {
		all = append(all, "lower priceFen of "+named(dearer))
	}
	if want.GetCommissionBps() < promised.GetCommissionBps() {
		all = append(all, fmt.Sprintf("raise commissionBps to %d", promised.GetCommissionBps()))
	}
	if least := promised.GetReturnWindow().GetSeconds(); want.GetReturnWindow().GetSeconds() < least {
		all = append(all, fmt.Sprintf("make returnWindow.duration %s", time.Duration(least)*time.Second))
	}
	return all
}

// refuseBroken says what a sale that has opened must put back, nil for nothing.
func (f facts) refuseBroken(promised *campaignv1.Desired) *verdict {
	if promised == nil {
		return nil
	}
	fault := broken(promised, f.want)
	if len(fault) == 0 {
		return nil
	}
	v := no(v1alpha1.ReasonAlreadyOpen, "the sale has opened and its terms are known: "+bounded(strings.Join(fault, "; ")))
	return &v
}
