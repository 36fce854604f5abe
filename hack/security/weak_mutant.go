//go:build mutant_weak_code

package main

// plantedCode believes any certificate and hashes with MD5.
func plantedCode() (files map[string]string, folder string) {
	return map[string]string{"services/catalog/planted/planted.go": `// Package planted trusts everybody.
package planted

import (
	"crypto/md5"
	"crypto/tls"
	"net/http"
)

// Client believes any certificate.
var Client = http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}

// Sum hides nothing.
func Sum(secret []byte) [16]byte { return md5.Sum(secret) }
`}, "services/catalog/planted"
}
