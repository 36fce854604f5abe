package main

import (
	"bytes"
	"encoding/pem"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// authoritiesFile is where Go's crypto/x509 and most other programs look for them.
const authoritiesFile = "etc/ssl/certs/ca-certificates.crt"

// authorities are Mozilla's root certificates as the Go project carries them: without them no service
// could speak https with WeChat, the staff's identity provider or a MongoDB in the cloud. A root that
// is trusted only up to a date is left out: a file of certificates cannot say so.
func authorities() []byte {
	var out bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			out.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}))
		}
	}
	return out.Bytes()
}
