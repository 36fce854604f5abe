package wiring_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/services/catalog/internal/eventin"
	"github.com/qingcang/qingcang/services/catalog/internal/httpapi"
	"github.com/qingcang/qingcang/services/internal/testkit"
)

const (
	uid     = "8c0c2f1e-7b7e-4a63-9f0e-0e6f2b8e2d11"
	brandID = "brand_2x4y6z8a0b1c2d3e4f5g6h7j8k"
)

func shirt(sku, size string) *brandv1.Goods {
	return &brandv1.Goods{
		Sku: sku, StyleNo: "A2045", Name: "亚麻衬衫", Category: "衬衫", Colour: "白", Size: size,
		TagPriceFen: 39_900, SettlementFen: 4_321, Warehouse: "杭州一号", Season: "夏",
	}
}

// sale is open from an hour ago to an hour ahead.
func sale() *campaignv1.Desired {
	now := time.Now()
	return &campaignv1.Desired{
		Uid: uid, Generation: 1, BrandId: brandID, Title: "秋季清仓",
		StartAt: timestamppb.New(now.Add(-time.Hour)), EndAt: timestamppb.New(now.Add(time.Hour)),
		Items: []*campaignv1.Item{
			{Sku: "C1", PriceFen: 6_000, SettlementFen: 4_321, Units: 100},
			{Sku: "C2", PriceFen: 6_100, SettlementFen: 4_321, Units: 20},
		},
	}
}

func selling(soldOfC2 int64) *campaignv1.Status {
	return &campaignv1.Status{
		Uid: uid, Generation: 1, Phase: campaignv1.Status_PHASE_OPEN, Units: 120,
		Allocation: &campaignv1.Allocation{Generation: 1, State: campaignv1.Allocation_STATE_ALLOCATED},
		Items:      []*campaignv1.ItemStatus{{Sku: "C1", Units: 100}, {Sku: "C2", Units: 20, SoldUnits: soldOfC2}},
	}
}

func open(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.approve(shirt("C1", "M"), shirt("C2", "L"))
	w.put(eventin.CampaignTopic, uid, sale())
	w.put(eventin.StatusTopic, uid, selling(17))
	w.start()
	return w
}

func TestReadyMeansThatAllThatWasPublishedIsShown(t *testing.T) {
	w := open(t)
	got := get[httpapi.Style](w, "/v1/campaigns/"+uid+"/styles/A2045", "")
	if left := got.Campaign.SecondsLeft; left < 3_500 || left > 3_600 {
		t.Errorf("%d seconds are left, want an hour", left)
	}
	if got.Name != "亚麻衬衫" || got.Category != "衬衫" || got.Campaign.Phase != httpapi.Live || got.Campaign.Title != "秋季清仓" {
		t.Errorf("got %+v", got)
	}
	want := []httpapi.Item{
		{Sku: "C1", Colour: "白", Size: "M", TagPriceFen: 39_900, PriceFen: 6_000, Stock: httpapi.Available, LeftUnits: 100},
		{Sku: "C2", Colour: "白", Size: "L", TagPriceFen: 39_900, PriceFen: 6_100, Stock: httpapi.Low, LeftUnits: 3},
	}
	if fmt.Sprint(got.Items) != fmt.Sprint(want) {
		t.Errorf("got %+v, want %+v", got.Items, want)
	}
}

func TestWhatIsSoldShowsSoonAfter(t *testing.T) {
	w := open(t)
	w.put(eventin.StatusTopic, uid, selling(20))
	testkit.Eventually(t, waitAtMost, func() error {
		got := get[httpapi.Style](w, "/v1/campaigns/"+uid+"/styles/A2045", "")
		if got.Items[1].Stock != httpapi.SoldOut {
			return fmt.Errorf("it is %s", got.Items[1].Stock)
		}
		return nil
	})
}

func TestTheNewestTrialOfAStyleShowsSoonAfter(t *testing.T) {
	w := open(t)
	if got := get[httpapi.Style](w, "/v1/campaigns/"+uid+"/styles/A2045", ""); got.TrialIndexTenths != nil {
		t.Errorf("nobody has tried it, and its index is %d", *got.TrialIndexTenths)
	}
	for _, index := range []int32{70, 64} {
		w.published++
		w.publish(w.published, &brandv1.StyleTried{BrandId: brandID, StyleNo: "A2045", IndexTenths: index, Testers: 5})
	}
	testkit.Eventually(t, waitAtMost, func() error {
		got := get[httpapi.Style](w, "/v1/campaigns/"+uid+"/styles/A2045", "")
		if got.TrialIndexTenths == nil || *got.TrialIndexTenths != 64 {
			return fmt.Errorf("the index is %v, want 64", got.TrialIndexTenths)
		}
		return nil
	})
}

func TestAnOwnersLinkShowsTheSameStyle(t *testing.T) {
	w := open(t)
	token := w.share(uid, "A2045")
	byLink, byNumber := get[httpapi.Style](w, "/v1/shares/"+token, ""), get[httpapi.Style](w, "/v1/campaigns/"+uid+"/styles/A2045", "")
	byLink.Campaign.SecondsLeft = byNumber.Campaign.SecondsLeft // a second may have passed
	if fmt.Sprint(byLink) != fmt.Sprint(byNumber) {
		t.Errorf("the link shows %+v, the campaign %+v", byLink, byNumber)
	}
	w.refused("/v1/shares/"+w.share("00000000-0000-4000-8000-000000000000", "A2045"), "", http.StatusNotFound, "unknown_campaign")
	w.refused("/v1/shares/"+w.share(uid, "A9999"), "", http.StatusNotFound, "unknown_style")
}

func TestALinkWithOneCharacterChangedIsRefused(t *testing.T) {
	w := open(t)
	token := w.share(uid, "A2045")
	for i := range token {
		other := byte('A')
		if token[i] == other {
			other = 'B'
		}
		w.refused("/v1/shares/"+token[:i]+string(other)+token[i+1:], "", http.StatusBadRequest, "share_token_invalid")
	}
	w.refused("/v1/shares/"+token[:len(token)-1], "", http.StatusBadRequest, "share_token_invalid")
	w.refused("/v1/shares/"+strings.Repeat("A", 5_000), "", http.StatusBadRequest, "share_token_invalid")
}

func TestCampaignsArePublicAndTheirPagesBounded(t *testing.T) {
	w := open(t)
	page := get[httpapi.CampaignPage](w, "/v1/campaigns?limit=1", "")
	if len(page.Items) != 1 || page.Items[0].UID != uid || page.Next != nil {
		t.Errorf("got %+v", page)
	}
	view := get[httpapi.CampaignWithStyles](w, "/v1/campaigns/"+uid, "")
	want := []httpapi.StyleSummary{{StyleNo: "A2045", Name: "亚麻衬衫", Category: "衬衫", FromFen: 6_000, Stock: httpapi.Available, LeftUnits: 103}}
	if view.Campaign.Phase != httpapi.Live || fmt.Sprint(view.Styles) != fmt.Sprint(want) {
		t.Errorf("got %+v, want %+v", view, want)
	}
	for path, code := range map[string]string{
		"/v1/campaigns?limit=201":                          "request_invalid",
		"/v1/campaigns?limit=0":                            "request_invalid",
		"/v1/campaigns?after=nonsense":                     "bad_cursor",
		"/v1/campaigns/" + uid + "/styles/A%2045":          "request_invalid",
		"/v1/campaigns/" + strings.Repeat("c", 65):         "request_invalid",
		"/v1/campaigns/" + uid + "?after=" + uid + uid[:1]: "request_invalid",
	} {
		w.refused(path, "", http.StatusBadRequest, code)
	}
	w.refused("/v1/campaigns/none", "", http.StatusNotFound, "unknown_campaign")
	w.refused("/v1/campaigns/"+uid+"/styles/none", "", http.StatusNotFound, "unknown_style")
}

func TestTheSettlementPriceIsForStaffAlone(t *testing.T) {
	w := open(t)
	goods := "/v1/brands/" + brandID + "/goods"
	w.refused(goods, "", http.StatusUnauthorized, "no_credentials")
	w.refused(goods, w.share(uid, "A2045"), http.StatusUnauthorized, "bad_token")
	staff := w.issuer.Token(t, "operations")
	first := get[httpapi.GoodsPage](w, goods+"?limit=1", staff)
	if len(first.Items) != 1 || first.Items[0].SettlementFen != 4_321 || first.Next == nil {
		t.Fatalf("got %+v", first)
	}
	second := get[httpapi.GoodsPage](w, goods+"?limit=1&after="+*first.Next, staff)
	if len(second.Items) != 1 || second.Items[0].Sku != "C2" || second.Next != nil {
		t.Errorf("got %+v", second)
	}
	if page := get[httpapi.GoodsPage](w, "/v1/brands/brand_00000000000000000000000000/goods", staff); len(page.Items) != 0 {
		t.Errorf("a brand without goods has %+v", page.Items)
	}
	for _, path := range []string{"/v1/campaigns", "/v1/campaigns/" + uid, "/v1/campaigns/" + uid + "/styles/A2045", "/v1/shares/" + w.share(uid, "A2045")} {
		if _, body := w.ask(path, ""); bytes.Contains(body, []byte(":4321")) {
			t.Errorf("%s shows the settlement price: %s", path, body)
		}
	}
}

func TestARepeatedEventBringsNoOldDescriptionBack(t *testing.T) {
	w := open(t)
	newer := shirt("C1", "M")
	newer.Name = "亚麻长袖衬衫"
	w.approve(newer)
	w.publish(1, &brandv1.GoodsApproved{BrandId: brandID, Goods: []*brandv1.Goods{shirt("C1", "M")}})
	marker := shirt("Z1", "M") // behind the repeat in the same partition
	w.approve(marker)
	staff := w.issuer.Token(t, "finance")
	var page httpapi.GoodsPage
	testkit.Eventually(t, waitAtMost, func() error {
		if page = get[httpapi.GoodsPage](w, "/v1/brands/"+brandID+"/goods", staff); len(page.Items) < 3 {
			return fmt.Errorf("%d goods", len(page.Items))
		}
		return nil
	})
	if got := page.Items[0].Name; got != newer.GetName() {
		t.Errorf("the name is %q, want %q", got, newer.GetName())
	}
}

func TestAReplicaThatCannotReadIsAliveAndNotReady(t *testing.T) {
	w := newWorld(t)
	w.cfg.Kafka.Brokers = []string{"127.0.0.1:1"}
	w.serve()
	testkit.Eventually(t, waitAtMost, func() error {
		if status, _ := w.ask("/livez", ""); status != http.StatusOK {
			return fmt.Errorf("not alive: %d", status)
		}
		return nil
	})
	status, body := w.ask("/readyz?verbose", "")
	if status == http.StatusOK {
		t.Errorf("it is ready: %s", body)
	}
	for _, source := range []string{"[-]campaigns", "[-]statuses", "[-]goods"} {
		if !bytes.Contains(body, []byte(source)) {
			t.Errorf("%s does not stand in %s", source, body)
		}
	}
}
