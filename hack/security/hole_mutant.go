//go:build mutant_known_hole

package main

// plantedHole is about a function that whoever reads an event calls.
func plantedHole() (advisory, packages string) {
	return `{"schema_version":"1.3.1","id":"GO-2099-0001","modified":"2099-01-01T00:00:00Z","published":"2099-01-01T00:00:00Z",
"summary":"planted","affected":[{"package":{"name":"google.golang.org/protobuf","ecosystem":"Go"},
"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}],
"ecosystem_specific":{"imports":[{"path":"google.golang.org/protobuf/proto","symbols":["Unmarshal"]}]}}]}`, ownModules + "proto/eventkit"
}
