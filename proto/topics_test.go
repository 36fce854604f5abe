package contract_test

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	contract "github.com/qingcang/qingcang/proto"
	"github.com/qingcang/qingcang/proto/eventkit"
)

// programs are all that may write or read a topic; ACLs are made from the names.
var programs = []string{"brand-intake", "catalog", "fulfilment", "operator", "order", "store-owner"}

// maxMessageBytesLimit is what a Kafka broker takes unless it is told otherwise, 1 MiB.
const maxMessageBytesLimit = 1 << 20

var (
	topicName   = regexp.MustCompile(`^[a-z]+([.-][a-z]+)*\.v[1-9][0-9]*$`)
	topicPrefix = regexp.MustCompile(`^[a-z]+([.-][a-z]+)*\.$`)
)

func TestTopicsFileHasNoUnknownFields(t *testing.T) {
	decoder := yaml.NewDecoder(bytes.NewReader(contract.TopicsYAML))
	decoder.KnownFields(true)
	var file struct {
		Topics   []eventkit.Topic  `yaml:"topics"`
		Families []eventkit.Family `yaml:"families"`
	}
	if err := decoder.Decode(&file); err != nil {
		t.Fatal(err)
	}
}

func TestTopicsKeepTheRules(t *testing.T) {
	topics := eventkit.Topics()
	if len(topics) == 0 {
		t.Fatal("topics.yaml lists no topic")
	}
	seen := map[string]bool{}
	for _, topic := range topics {
		if seen[topic.Name] {
			t.Errorf("%s is listed twice", topic.Name)
		}
		seen[topic.Name] = true
		rules := map[string]bool{
			"is named like area.what.v1":                 topicName.MatchString(topic.Name),
			"says what it is about":                      topic.About != "",
			"has at least one partition":                 topic.Partitions > 0,
			"is either deleted from or compacted":        topic.Cleanup == "delete" || topic.Cleanup == "compact",
			"is kept for ever":                           topic.RetentionMs == -1,
			"takes messages that every broker takes":     topic.MaxMessageBytes > 0 && topic.MaxMessageBytes <= maxMessageBytesLimit,
			"has one writer, a program of the suite":     slices.Contains(programs, topic.Writer),
			"has readers that are programs of the suite": !slices.ContainsFunc(topic.Readers, func(r string) bool { return !slices.Contains(programs, r) }),
			"lists its readers once and in order":        slices.IsSorted(topic.Readers) && len(slices.Compact(slices.Clone(topic.Readers))) == len(topic.Readers),
			"has a timestamp type that Kafka knows":      topic.TimestampType == "" || topic.TimestampType == "LogAppendTime",
		}
		for rule, kept := range rules {
			if !kept {
				t.Errorf("%s breaks the rule that a topic %s", topic.Name, rule)
			}
		}
	}
}

func TestTopicsOfAFamilyAreKnownByTheirNames(t *testing.T) {
	for name, want := range map[string]bool{
		"lane.5f2c1a3e-0000-4000-8000-000000000001": true,
		"lane.":           false,
		"lanes.shared.v1": true,
		"lane":            false,
		"other.5f2c1a3e":  false,
	} {
		topic, known := eventkit.TopicNamed(name)
		if known != want || known && topic.Name != name {
			t.Errorf("%q is known: %t as %q, want %t", name, known, topic.Name, want)
		}
	}
	for _, f := range eventkit.Families() {
		for rule, kept := range map[string]bool{
			"has a prefix that ends with a dot":         topicPrefix.MatchString(f.Prefix),
			"is made and written by programs":           slices.Contains(programs, f.Maker) && slices.Contains(programs, f.Writer),
			"is kept for ever":                          f.RetentionMs == -1,
			"has at least one partition":                f.Partitions > 0,
			"begins like no topic that is always there": !slices.ContainsFunc(eventkit.Topics(), func(t eventkit.Topic) bool { return strings.HasPrefix(t.Name, f.Prefix) }),
		} {
			if !kept {
				t.Errorf("%s breaks the rule that a family %s", f.Prefix, rule)
			}
		}
	}
}

func TestTopicsThatOnlyOneProgramMayWriteAreWrittenByIt(t *testing.T) {
	for name, want := range map[string]string{
		"campaigns.v1":       "operator",
		"campaign-status.v1": "order",
		"lanes.shared.v1":    "order",
	} {
		topic, ok := eventkit.TopicNamed(name)
		if !ok {
			t.Errorf("%s is not in topics.yaml", name)
			continue
		}
		if topic.Writer != want {
			t.Errorf("%s is written by %s, want %s", name, topic.Writer, want)
		}
	}
}
