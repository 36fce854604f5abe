//go:build mutant_committed_secret

package main

import (
	"crypto/sha256"
	"encoding/hex"
)

// plantedSecret is a token of GitHub's form, put together here so that it stands in no file.
func plantedSecret() map[string]string {
	sum := sha256.Sum256([]byte("planted"))
	return map[string]string{
		"charts/qingcang/planted.yaml": "registry: https://bot:ghp_" + hex.EncodeToString(sum[:])[:36] + "@example.com\n",
	}
}
