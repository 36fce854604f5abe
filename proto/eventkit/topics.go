package eventkit

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/segmentio/kafka-go"
	"go.yaml.in/yaml/v3"

	contract "github.com/qingcang/qingcang/proto"
)

// Topic is one line of proto/topics.yaml.
type Topic struct {
	Name            string   `yaml:"name"`
	About           string   `yaml:"about"`
	Partitions      int      `yaml:"partitions"`
	Cleanup         string   `yaml:"cleanup"`
	RetentionMs     int64    `yaml:"retentionMs"`
	MaxMessageBytes int      `yaml:"maxMessageBytes"`
	TimestampType   string   `yaml:"timestampType"`
	Writer          string   `yaml:"writer"`
	Readers         []string `yaml:"readers"`
}

// Family is topics that are made one by one, as what they are for comes into being.
type Family struct {
	// Prefix and a uid are the name of such a topic.
	Prefix string `yaml:"prefix"`
	// Maker is the program that creates them.
	Maker string `yaml:"maker"`
	// Topic is what each of them is like; its name is empty.
	Topic `yaml:",inline"`
}

// topicList is proto/topics.yaml.
type topicList struct {
	Topics   []Topic  `yaml:"topics"`
	Families []Family `yaml:"families"`
}

var parsedTopics = sync.OnceValues(func() (topicList, error) {
	var list topicList
	if err := yaml.Unmarshal(contract.TopicsYAML, &list); err != nil {
		return topicList{}, fmt.Errorf("parse topics.yaml: %w", err)
	}
	return list, nil
})

// parsed returns the list, which is compiled in; a test keeps it readable.
func parsed() topicList {
	list, err := parsedTopics()
	if err != nil {
		panic(err) // the file is part of the binary: it cannot differ from what the tests read
	}
	return list
}

// Topics returns every topic of the suite that is always there.
func Topics() []Topic { return parsed().Topics }

// Families returns the kinds of topics that come and go.
func Families() []Family { return parsed().Families }

// TopicNamed returns the topic of that logical name: one that is always there, or one of a family.
func TopicNamed(name string) (Topic, bool) {
	for _, t := range Topics() {
		if t.Name == name {
			return t, true
		}
	}
	for _, f := range Families() {
		if strings.HasPrefix(name, f.Prefix) && len(name) > len(f.Prefix) {
			t := f.Topic
			t.Name = name
			return t, true
		}
	}
	return Topic{}, false
}

// clusterDefault leaves the number of replicas to the cluster (default.replication.factor).
const clusterDefault = -1

// Ensure creates the topics that do not exist yet, with as many replicas as the cluster's default,
// and returns when all can be written. In production topics are made by whoever runs Kafka; then
// nothing is missing and nothing is created.
func (c *Conn) Ensure(ctx context.Context, topics ...Topic) error {
	ctx, cancel := context.WithTimeout(ctx, 3*requestTimeout)
	defer cancel()
	request := &kafka.CreateTopicsRequest{Addr: c.addr}
	for _, t := range topics {
		request.Topics = append(request.Topics, kafka.TopicConfig{
			Topic: c.name(t.Name), NumPartitions: t.Partitions, ReplicationFactor: clusterDefault,
			ConfigEntries: configEntries(t),
		})
	}
	response, err := c.client.CreateTopics(ctx, request)
	if err != nil {
		return fmt.Errorf("create topics: %w", err)
	}
	for _, t := range topics {
		err := response.Errors[c.name(t.Name)]
		if err != nil && !errors.Is(err, kafka.TopicAlreadyExists) {
			return fmt.Errorf("create topic %s: %w", c.name(t.Name), err)
		}
		for p := range t.Partitions { // a leader hears of its new partition a little later
			if _, _, err := c.offsets(ctx, t.Name, p); err != nil {
				return fmt.Errorf("wait for topic %s: %w", c.name(t.Name), err)
			}
		}
	}
	return nil
}

func configEntries(t Topic) []kafka.ConfigEntry {
	entries := []kafka.ConfigEntry{
		{ConfigName: "cleanup.policy", ConfigValue: t.Cleanup},
		{ConfigName: "retention.ms", ConfigValue: strconv.FormatInt(t.RetentionMs, 10)},
		{ConfigName: "max.message.bytes", ConfigValue: strconv.Itoa(t.MaxMessageBytes)},
	}
	if t.TimestampType != "" {
		entries = append(entries, kafka.ConfigEntry{ConfigName: "message.timestamp.type", ConfigValue: t.TimestampType})
	}
	return entries
}
