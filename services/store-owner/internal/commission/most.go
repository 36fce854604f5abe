//go:build !mutant_overdraw

package commission

import "github.com/qingcang/qingcang/services/internal/money"

// most is how much of the order's commission can be taken back: what is left of
// it. It stands apart so that a build with the tag mutant_overdraw can get it wrong.
func most(o *Order) money.Fen { return o.left() }
