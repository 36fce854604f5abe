//go:build !mutant_forget

package ledger

// remembered is what a snapshot keeps of an account. It stands apart so that a
// build with the tag mutant_forget can get it wrong.
func remembered(a account) account { return a }
