// Package api holds the service's HTTP contract.
package api

import _ "embed" // the contract travels in the binary

// Spec is the OpenAPI document that the door checks every request against.
//
//go:embed openapi.yaml
var Spec []byte
