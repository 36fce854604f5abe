// Package cli is kubectl qingcang: campaigns looked at, paused, resumed and closed, and what a
// programme for owners can cost. Commands read and write the API server alone, so they need no right
// that kubectl would not need for the same.
package cli
