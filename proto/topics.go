// Package contract carries what the parts of the suite agree on besides the messages in gen:
// the list of topics.
package contract

import _ "embed"

// TopicsYAML is proto/topics.yaml: every topic, its one writer and its readers.
//
//go:embed topics.yaml
var TopicsYAML []byte
