package registry_test

import (
	"reflect"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/brand-intake/internal/registry"
	"github.com/qingcang/qingcang/services/brand-intake/internal/settlement"
	"github.com/qingcang/qingcang/services/brand-intake/internal/stock"
	"github.com/qingcang/qingcang/services/internal/journal"
)

// life is a brand's, with each kind of fact once at least.
func life(t *testing.T) []journal.Fact {
	t.Helper()
	const id = "brand_a"
	sold, err := settlement.Post(settlement.Cause{ID: "order/0/1/0", Event: &orderv1.OrderPaid{
		OrderId: "ord_1", BrandId: id, CampaignUid: "sale", Lines: []*orderv1.PaidLine{{Sku: "s", Units: 2, BrandFen: 70, OwnerFen: 10, PlatformFen: 20}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	goods := stock.Goods{SKU: "s", Name: "Shirt", TagPrice: 900, Settlement: 35, Units: 10}
	started := func(sub string) journal.Fact { return &brandv1.SubmissionStarted{BrandId: id, SubmissionId: sub} }
	rows := func(sub string) journal.Fact {
		return &brandv1.SubmissionRowsTaken{
			BrandId: id, SubmissionId: sub, Goods: []*brandv1.Goods{goods.Message()}, Faults: []*brandv1.RowFault{{Row: 3, Column: "条码", Reason: "bad"}},
		}
	}
	received := func(sub string) journal.Fact {
		return &brandv1.SubmissionReceived{BrandId: id, SubmissionId: sub, ContentSha256: []byte{1, 2}, RowsTaken: 1, RowsRefused: 1}
	}
	return append([]journal.Fact{
		&brandv1.BrandApplied{BrandId: id, BrandName: "Yunshan", ContactId: "per_a", BodyHash: 1<<63 + 5},
		&brandv1.BrandApproved{BrandId: id, ApprovedBy: "staff"},
		&brandv1.BrandKeyIssued{BrandId: id, KeyId: "key_1", KeySha256: []byte{3}},
		&brandv1.BrandKeyIssued{BrandId: id, KeyId: "key_2", KeySha256: []byte{4}},
		&brandv1.BrandKeyRevoked{BrandId: id, KeyId: "key_2"},
		started("sub_1"), rows("sub_1"), received("sub_1"),
		&brandv1.SubmissionApproved{BrandId: id, SubmissionId: "sub_1"},
		&brandv1.GoodsApproved{BrandId: id, SubmissionId: "sub_1"},
		started("sub_2"), rows("sub_2"), received("sub_2"),
		&brandv1.SubmissionRejected{BrandId: id, SubmissionId: "sub_2", Reason: "fakes"},
		started("sub_3"), rows("sub_3"),
		&brandv1.CampaignHeard{Desired: &campaignv1.Desired{Uid: "sale", BrandId: id, Items: []*campaignv1.Item{{Sku: "s", SettlementFen: 35}}}},
		&brandv1.StockAllocated{BrandId: id, CampaignUid: "sale", Generation: 1, Add: []*brandv1.AllocatedUnits{{Sku: "s", Units: 5}}},
		&brandv1.StockRefused{BrandId: id, CampaignUid: "sale", Generation: 2, Reason: stock.NotEnoughStock},
		&brandv1.StockReleased{BrandId: id, CampaignUid: "sale", Units: []*brandv1.AllocatedUnits{{Sku: "s", Units: 3}}, Cause: "lanes.shared.v1/0/9/0"},
		&brandv1.StockAllocated{BrandId: id, CampaignUid: "sale", Generation: 1, TopUp: 1, Add: []*brandv1.AllocatedUnits{{Sku: "s", Units: 1}}},
		&brandv1.StyleTried{BrandId: id, StyleNo: "TS-1", IndexTenths: 67, Testers: 5, TrialId: "trial_1", BodyHash: 1<<63 + 7},
		&brandv1.BrandSuspended{BrandId: id, Reason: "no licence"},
	}, sold...)
}

func fold(facts []journal.Fact) *registry.Registry {
	var m registry.Machine
	r := m.New()
	for n, f := range facts {
		m.Apply(r, f, journal.Meta{Seq: uint64(n + 1)})
	}
	return r
}

func TestASnapshotHoldsAll(t *testing.T) {
	var m registry.Machine
	want := fold(life(t))
	data, err := m.Encode(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	// Encoded again, because an empty map and none are the same to every reader.
	again, err := m.Encode(got)
	if err != nil {
		t.Fatal(err)
	}
	if string(again) != string(data) {
		t.Errorf("got\n%s\nwant\n%s", again, data)
	}
}

// TestAnOlderSnapshotIsNotRead: whoever wrote it did not fold all that is folded now.
func TestAnOlderSnapshotIsNotRead(t *testing.T) {
	var m registry.Machine
	for name, data := range map[string]string{
		"from before there were versions": `{"Brands":{},"KeyOwners":{}}`,
		"of a later version":              `{"Version":99,"Brands":{},"KeyOwners":{}}`,
		"no snapshot at all":              `brands`,
	} {
		if _, err := m.Decode([]byte(data)); err == nil {
			t.Errorf("%s: it is read", name)
		}
	}
}

func TestEveryFactChangesSomething(t *testing.T) {
	var m registry.Machine
	facts := life(t)
	for n, f := range facts {
		name := string(f.ProtoReflect().Descriptor().Name())
		if _, pieces := f.(*brandv1.GoodsApproved); pieces {
			continue // this one names no goods, so that sub_1 stays untold
		}
		before, err := m.Encode(fold(facts[:n]))
		if err != nil {
			t.Fatal(err)
		}
		after, err := m.Encode(fold(facts[:n+1]))
		if err != nil {
			t.Fatal(err)
		}
		if reflect.DeepEqual(before, after) {
			t.Errorf("%s changes nothing", name)
		}
	}
}

// TestEveryFactHasABrand walks all messages that are facts by their shape: the
// events of the package, which its parts are not.
func TestEveryFactHasABrand(t *testing.T) {
	parts := map[string]bool{"RowFault": true, "Goods": true, "AllocatedUnits": true, "SettlementLine": true}
	played := map[string]bool{}
	for _, f := range life(t) {
		played[string(f.ProtoReflect().Descriptor().Name())] = true
		if got := registry.Subject(f); got != "brand_a" {
			t.Errorf("%T is about %q", f, got)
		}
	}
	protoregistry.GlobalTypes.RangeMessages(func(m protoreflect.MessageType) bool {
		name := string(m.Descriptor().FullName())
		short, ok := strings.CutPrefix(name, "brand.v1.")
		if ok && !parts[short] && !played[short] {
			t.Errorf("no life has a %s", short)
		}
		return true
	})
}
