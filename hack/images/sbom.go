package main

import (
	"debug/buildinfo"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// writeSBOM lists what an image is made of: the binary, by what the compiler wrote into it, a list that no build
// file can get wrong, and the certificate authorities. It is CycloneDX 1.6 in JSON, and the same for the same commit.
func writeSBOM(path string, p product, binary string, from origin) (err error) {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return fmt.Errorf("read what the binary is made of: %w", err)
	}
	roots, err := authoritiesVersion()
	if err != nil {
		return err
	}
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write the SBOM: %w", err)
	}
	defer func() {
		if closed := file.Close(); err == nil {
			err = closed
		}
	}()
	encoder := cdx.NewBOMEncoder(file, cdx.BOMFileFormatJSON).SetPretty(true)
	if err := encoder.EncodeVersion(bill(info, roots, p, from), cdx.SpecVersion1_6); err != nil {
		return fmt.Errorf("write the SBOM: %w", err)
	}
	return nil
}

// bill is the SBOM of an image with this binary and these authorities. Modules of this repository carry its version;
// they have none of their own.
func bill(info *debug.BuildInfo, roots string, p product, from origin) *cdx.BOM {
	subject := "pkg:oci/" + p.name + "@" + from.version
	out := cdx.NewBOM()
	out.Metadata = &cdx.Metadata{
		Timestamp: from.at.Format(time.RFC3339),
		Component: &cdx.Component{BOMRef: subject, Type: cdx.ComponentTypeApplication, Name: p.repository(), Version: from.version, Description: p.title},
	}
	parts := []cdx.Component{library("std", strings.TrimPrefix(info.GoVersion, "go")), library(authoritiesModule, roots)}
	for _, m := range info.Deps {
		if m.Replace != nil && m.Replace.Version != "" {
			m = m.Replace
		}
		version := m.Version
		if strings.HasPrefix(m.Path, modulePrefix) {
			version = from.version
		}
		parts = append(parts, library(m.Path, version))
	}
	refs := make([]string, len(parts))
	for i, part := range parts {
		refs[i] = part.BOMRef
	}
	out.Components = &parts
	out.Dependencies = &[]cdx.Dependency{{Ref: subject, Dependencies: &refs}}
	return out
}

func library(path, version string) cdx.Component {
	purl := "pkg:golang/" + path + "@" + version
	return cdx.Component{BOMRef: purl, Type: cdx.ComponentTypeLibrary, Name: path, Version: version, PackageURL: purl}
}
