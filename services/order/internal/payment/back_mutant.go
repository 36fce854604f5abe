//go:build mutant_rounding

package payment

import "github.com/qingcang/qingcang/services/internal/money"

// back splits the units that come back by themselves, on purpose: unit by unit,
// the owner keeps what was rounded down each time.
func (s *Sale) back(l Line, units int64) (money.Shares, error) { return s.split(l, units) }
