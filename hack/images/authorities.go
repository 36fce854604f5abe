package main

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"runtime/debug"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// authoritiesFile is where Go's crypto/x509 and most other programs look for them.
const authoritiesFile = "etc/ssl/certs/ca-certificates.crt"

// authoritiesModule is where they are from. No binary's list of modules has it: they stand beside the binary.
const authoritiesModule = "golang.org/x/crypto/x509roots/fallback"

// authoritiesVersion is the module's, as this program was built with it.
func authoritiesVersion() (string, error) {
	info, ok := debug.ReadBuildInfo()
	if ok {
		for _, m := range info.Deps {
			if m.Path == authoritiesModule {
				return m.Version, nil
			}
		}
	}
	return "", fmt.Errorf("this program does not know its version of %s", authoritiesModule)
}

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
