//go:build !mutant_shallow_law

package accounts

import "github.com/qingcang/qingcang/services/internal/book"

// connected reports whether money can get from one class to the other or back,
// by whatever chain of postings.
func connected(t book.Table, a, b book.Class) bool { return t.Reachable(a, b) || t.Reachable(b, a) }
