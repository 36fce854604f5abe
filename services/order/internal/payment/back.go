//go:build !mutant_rounding

package payment

import "github.com/qingcang/qingcang/services/internal/money"

// back is what some units of a line give back: the split of what was kept, less
// the split of what is still kept. So nothing is lost to rounding.
func (s *Sale) back(l Line, units int64) (money.Shares, error) {
	before, err := s.split(l, l.Kept())
	if err != nil {
		return money.Shares{}, err
	}
	after, err := s.split(l, l.Kept()-units)
	if err != nil {
		return money.Shares{}, err
	}
	return before.Sub(after), nil
}
