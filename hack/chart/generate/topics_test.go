package main

import (
	"slices"
	"testing"

	"github.com/qingcang/qingcang/proto/eventkit"
)

func TestEveryUserMayDoWhatTheListOfTopicsSaysAndNoMore(t *testing.T) {
	sales := eventkit.Topic{Name: "sales", Writer: "order", Readers: []string{"order", "catalog"}}
	lanes := eventkit.Family{Prefix: "lane.", Maker: "operator", Topic: eventkit.Topic{Writer: "order", Readers: []string{"order"}}}
	users := newList([]eventkit.Topic{sales}, []eventkit.Family{lanes}).Users
	for name, want := range map[string][]acl{
		"order": {
			{resource{"topic", "sales", literal}, []string{"Read", "Write", "Describe"}, "*"},
			{resource{"topic", "lane.", prefix}, []string{"Read", "Write", "Describe"}, "*"},
			{resource{"group", "order.lane.", prefix}, []string{"Read", "Describe"}, "*"},
			{resource{"group", "order", literal}, []string{"Read", "Describe"}, "*"},
		},
		"catalog": {
			{resource{"topic", "sales", literal}, []string{"Read", "Describe"}, "*"},
		},
		"campaign-operator": {{resource{"topic", "lane.", prefix}, []string{"Create", "Describe"}, "*"}},
	} {
		got := users[name]
		equal := func(a, b acl) bool {
			return a.Resource == b.Resource && a.Host == b.Host && slices.Equal(a.Operations, b.Operations)
		}
		if !slices.EqualFunc(got, want, equal) {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	if len(users) != 3 {
		t.Errorf("%d users, want 3", len(users))
	}
}
