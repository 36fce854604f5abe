//go:build !mutant_no_limit

package httpapi

import "github.com/qingcang/qingcang/services/internal/httpkit"

// enter takes a place of the limiter. It stands apart so that a build with the tag mutant_no_limit can
// let everybody in.
func enter(limit *httpkit.Limiter) (leave func(done bool), err error) { return limit.Enter() }
