// Package simulate says what a programme for store owners can cost at most over campaigns: as if every
// unit were sold over an owner's link, at each rank and depth. It is pure arithmetic in whole fen; what
// it says is a bound that is reached, not an estimate.
package simulate
