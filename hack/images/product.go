package main

import (
	"fmt"
	"slices"
	"strings"
)

// product is something that has an image.
type product struct {
	name, title string
	// pkg is the command, from the repository's root or, where module is set, from that folder. Its binary
	// has the name of its last folder.
	pkg string
	// module is hack/embedded for what is built there, outside the workspace.
	module string
	// test marks what stands in for the world outside a test cluster. No chart names such an image.
	test bool
}

// products are all images. Their names are those of hack/adr/0004-kubernetes.md.
var products = []product{
	{name: "brand-intake", title: "Brands, their stock and their accounts", pkg: "./services/brand-intake/cmd/brand-intake"},
	{name: "catalog", title: "Goods as they are shown", pkg: "./services/catalog/cmd/catalog"},
	{name: "store-owner", title: "Store owners, share links and commission", pkg: "./services/store-owner/cmd/store-owner"},
	{name: "order", title: "Sales: lanes, orders and their payment", pkg: "./services/order/cmd/order"},
	{name: "fulfilment", title: "Shipping, receipts and returns", pkg: "./services/fulfilment/cmd/fulfilment"},
	{name: "campaign-operator", title: "Runs Campaigns and OwnerPrograms", pkg: "./operators/campaign/cmd/manager"},
	{name: "check", title: "What the chart itself runs: topics, helm test", pkg: "./operators/campaign/cmd/check"},
	{name: "sim", title: "Simulated WeChat and identity provider", pkg: "./hack/sim", test: true},
	{name: "broker", title: "Embedded Kafka broker", pkg: "./cmd/broker", module: "hack/embedded", test: true},
	{name: "relay", title: "Lets a cluster's pods reach broker and database", pkg: "./hack/endtoend/relay", test: true},
	{name: "judge", title: "Recounts a cluster's logs and books", pkg: "./hack/endtoend/judge", test: true},
	{name: "ferretdb", title: "Embedded MongoDB", pkg: "./cmd/ferretdb", module: "hack/embedded", test: true},
}

// repository is the image's name without registry and tag.
func (p product) repository() string {
	if p.test {
		return "qingcang-test/" + p.name
	}
	return "qingcang/" + p.name
}

// choose returns the images named, or all of the product, or all with those of the test cluster.
func choose(names []string, test bool) ([]product, error) {
	for _, name := range names {
		if !slices.ContainsFunc(products, func(p product) bool { return p.name == name }) {
			return nil, fmt.Errorf("there is no image %q; there are %s", name, strings.Join(allNames(), ", "))
		}
	}
	var out []product
	for _, p := range products {
		if named := slices.Contains(names, p.name); named || len(names) == 0 && (test || !p.test) {
			out = append(out, p)
		}
	}
	return out, nil
}

func allNames() []string {
	names := make([]string, len(products))
	for i, p := range products {
		names[i] = p.name
	}
	return names
}
