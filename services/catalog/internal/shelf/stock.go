package shelf

// Stock is how much is left, in a word.
type Stock string

// The words.
const (
	Available Stock = "available"
	Low       Stock = "low"
	SoldOut   Stock = "sold_out"
)

const (
	lowUnits = 5  // at most so many units left is low
	lowShare = 10 // and so is at most one of so many units
)

// stockOf says in a word how many of the units are left.
func stockOf(left, units int64) Stock {
	switch {
	case left <= 0:
		return SoldOut
	case left <= lowUnits || left <= units/lowShare:
		return Low
	default:
		return Available
	}
}
