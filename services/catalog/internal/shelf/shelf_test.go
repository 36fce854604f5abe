package shelf_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	"github.com/qingcang/qingcang/services/catalog/internal/shelf"
)

func TestPhase(t *testing.T) {
	const waiting, open = campaignv1.Status_PHASE_WAITING, campaignv1.Status_PHASE_OPEN
	const draining, settled = campaignv1.Status_PHASE_DRAINING, campaignv1.Status_PHASE_SETTLED
	early := noon.Add(-time.Hour)
	cases := map[string]struct {
		desired     *campaignv1.Desired
		status      *campaignv1.Status
		now         time.Time
		want        shelf.Phase
		wantSeconds int64
	}{
		"before its lane has heard of it it is in preview":     {wanted(), nil, early, shelf.Preview, 3_600},
		"without stock it is in preview, even after the start": {wanted(), told(waiting, withoutStock), noon.Add(time.Minute), shelf.Preview, 0},
		"with stock it is warming":                             {wanted(), told(waiting), early, shelf.Warming, 3_600},
		"a part of a second counts as one":                     {wanted(), told(waiting), noon.Add(-time.Millisecond), shelf.Warming, 1},
		"the clock alone opens nothing":                        {wanted(), told(waiting), noon.Add(time.Second), shelf.Warming, 0},
		"the lane opens it":                                    {wanted(), told(open), noon, shelf.Live, 7_200},
		"the last second is live":                              {wanted(), told(open), end.Add(-time.Second), shelf.Live, 1},
		"at the end it has ended, whatever the lane said last": {wanted(), told(open), end, shelf.Ended, 0},
		"a lane that drains has ended it":                      {wanted(), told(draining), noon, shelf.Ended, 0},
		"a settled one has ended":                              {wanted(), told(settled, withoutStock), noon, shelf.Ended, 0},
		"a suspended one counts on":                            {wanted(suspended), told(open), noon, shelf.Suspended, 7_200},
		"a closed one has ended":                               {wanted(closed), told(open), noon, shelf.Ended, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, _, _, err := stocked(c.desired, c.status).Campaign(uid, "", 1, c.now)
			if err != nil || got.Phase != c.want || got.SecondsLeft != c.wantSeconds {
				t.Fatalf("got %s with %d s left, %v; want %s with %d s", got.Phase, got.SecondsLeft, err, c.want, c.wantSeconds)
			}
		})
	}
}

func TestALaterEndCountsWhenItsGenerationHasItsStock(t *testing.T) {
	later := func(d *campaignv1.Desired) { d.EndAt = timestamppb.New(end.Add(time.Hour)) }
	on := stocked(wanted(), told(campaignv1.Status_PHASE_OPEN))
	on.Want(uid, wanted(generation(2), later))
	if got, _, _, err := on.Campaign(uid, "", 1, noon); err != nil || got.SecondsLeft != 7_200 {
		t.Fatalf("before: %+v, %v", got, err)
	}
	on.Report(uid, told(campaignv1.Status_PHASE_OPEN, answered(2, campaignv1.Allocation_STATE_ALLOCATED)))
	if got, _, _, err := on.Campaign(uid, "", 1, noon); err != nil || got.SecondsLeft != 10_800 {
		t.Fatalf("after: %+v, %v", got, err)
	}
}

func TestStock(t *testing.T) {
	cases := map[string]struct {
		units, held, sold int64
		want              shelf.Stock
		wantLeft          int64
	}{
		"all of it is available":                {100, 0, 0, shelf.Available, 100},
		"more than a tenth is available":        {100, 40, 49, shelf.Available, 11},
		"a tenth is low":                        {100, 40, 50, shelf.Low, 10},
		"five are low, of whatever":             {10, 5, 0, shelf.Low, 5},
		"six of ten are available":              {10, 4, 0, shelf.Available, 6},
		"all of a few is low":                   {3, 0, 0, shelf.Low, 3},
		"the last one is low":                   {1000, 0, 999, shelf.Low, 1},
		"what is held cannot be bought":         {10, 10, 0, shelf.SoldOut, 0},
		"what is sold cannot be bought":         {10, 0, 10, shelf.SoldOut, 0},
		"an item that got no stock is sold out": {0, 0, 0, shelf.SoldOut, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			on := stocked(wanted(), told(campaignv1.Status_PHASE_OPEN, item("K1", c.units, c.held, c.sold)))
			got, err := on.Style(uid, "KZ-7", noon)
			if err != nil || len(got.Items) != 1 {
				t.Fatalf("got %+v, %v", got, err)
			}
			if i := got.Items[0]; i.Stock != c.want || i.LeftUnits != c.wantLeft {
				t.Fatalf("got %s, %d left; want %s, %d", i.Stock, i.LeftUnits, c.want, c.wantLeft)
			}
		})
	}
}

func TestAStyleJoinsPricesGoodsAndStock(t *testing.T) {
	on := stocked(wanted(), told(campaignv1.Status_PHASE_OPEN, item("C2", 100, 1, 99)))
	got, err := on.Style(uid, "A2045", noon)
	want := shelf.Style{
		No: "A2045", Name: "亚麻衬衫", Category: "衬衫",
		Campaign: shelf.Campaign{UID: uid, Title: "秋季清仓", Phase: shelf.Live, StartAt: start, EndAt: end, SecondsLeft: 7_200},
		Items: []shelf.Item{
			{SKU: "C1", Colour: "白", Size: "M", TagPrice: 39_900, Price: 6_000, Stock: shelf.Available, LeftUnits: 100},
			{SKU: "C2", Colour: "白", Size: "L", TagPrice: 39_900, Price: 6_100, Stock: shelf.SoldOut, LeftUnits: 0},
		},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("got %+v, %v\nwant %+v", got, err, want)
	}
}

func TestPrice(t *testing.T) {
	const given, refused = campaignv1.Allocation_STATE_ALLOCATED, campaignv1.Allocation_STATE_REFUSED
	open := campaignv1.Status_PHASE_OPEN
	newer := func() *campaignv1.Desired { return wanted(generation(2), prices(5_000)) }
	cases := map[string]struct {
		tell func(on *shelf.Shelf)
		want int64
	}{
		"is the newest while nothing is decided": {func(*shelf.Shelf) {}, 9_900},
		"stays while the stock of a newer one is not given": {func(on *shelf.Shelf) {
			on.Report(uid, told(open))
			on.Want(uid, newer())
		}, 9_900},
		"changes when it is given": {func(on *shelf.Shelf) {
			on.Report(uid, told(open))
			on.Want(uid, newer())
			on.Report(uid, told(open, answered(2, given)))
		}, 5_000},
		"changes also when the lane's word comes first": {func(on *shelf.Shelf) {
			on.Report(uid, told(open, answered(2, given)))
			on.Want(uid, newer())
		}, 5_000},
		"stays when a newer one is refused": {func(on *shelf.Shelf) {
			on.Report(uid, told(open))
			on.Want(uid, newer())
			on.Report(uid, told(open, answered(2, refused)))
		}, 9_900},
		"does not go back to an older one": {func(on *shelf.Shelf) {
			on.Want(uid, wanted(generation(3)))
			on.Report(uid, told(open, answered(3, given)))
			on.Want(uid, newer())
		}, 9_900},
	}
	for name, c := range cases {
		t.Run("the price "+name, func(t *testing.T) {
			on := stocked(wanted(), nil)
			c.tell(on)
			got, err := on.Style(uid, "KZ-7", noon)
			if err != nil || int64(got.Items[0].Price) != c.want {
				t.Fatalf("got %+v, %v; want %d", got.Items, err, c.want)
			}
		})
	}
}

func TestNotFound(t *testing.T) {
	cases := map[string]struct {
		on   *shelf.Shelf
		now  time.Time
		want error
	}{
		"an empty shelf has no campaign":                         {shelf.New(), noon, shelf.ErrUnknownCampaign},
		"before its preview a campaign is not shown":             {stocked(wanted(), told(1)), preview.Add(-time.Second), shelf.ErrUnknownCampaign},
		"a campaign of which only the lane has spoken is hidden": {reported(), noon, shelf.ErrUnknownCampaign},
		"a forgotten campaign is gone":                           {forgotten(), noon, shelf.ErrUnknownCampaign},
		"a style that is not described yet is not shown":         {undescribed(), noon, shelf.ErrUnknownStyle},
		"from its preview on a campaign is shown":                {stocked(wanted(), nil), preview, nil},
		"without a preview it is shown at once": {
			stocked(wanted(func(d *campaignv1.Desired) { d.PreviewAt = nil }), nil), time.Unix(0, 0), nil,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if _, err := c.on.Style(uid, "A2045", c.now); !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
		})
	}
}

func reported() *shelf.Shelf {
	on := shelf.New()
	on.Report(uid, told(campaignv1.Status_PHASE_OPEN))
	return on
}

func forgotten() *shelf.Shelf {
	on := stocked(wanted(), nil)
	on.Want(uid, nil)
	return on
}

func undescribed() *shelf.Shelf {
	on := shelf.New()
	on.Want(uid, wanted())
	on.Approve(approved(trousers()))
	return on
}

func TestACampaignShowsItsStylesInPages(t *testing.T) {
	on := stocked(wanted(), told(campaignv1.Status_PHASE_OPEN, item("C1", 100, 0, 95), item("C2", 100, 0, 97)))
	_, first, more, err := on.Campaign(uid, "", 1, noon)
	want := []shelf.StyleSummary{{No: "A2045", Name: "亚麻衬衫", Category: "衬衫", From: 6_000, Stock: shelf.Low, LeftUnits: 8}}
	if err != nil || !more || !reflect.DeepEqual(first, want) {
		t.Fatalf("got %+v, more %t, %v; want %+v", first, more, err, want)
	}
	_, second, more, err := on.Campaign(uid, first[0].No, 1, noon)
	if err != nil || more || len(second) != 1 || second[0].No != "KZ-7" {
		t.Fatalf("got %+v, more %t, %v", second, more, err)
	}
}

func TestANewDescriptionMovesAnItemToItsNewStyle(t *testing.T) {
	on := stocked(wanted(), nil)
	moved := shirt("C2", "XL")
	moved.StyleNo, moved.Name = "A2046", "棉衬衫"
	on.Approve(approved(moved))
	old, err := on.Style(uid, "A2045", noon)
	if err != nil || len(old.Items) != 1 || old.Items[0].SKU != "C1" {
		t.Fatalf("the old style has %+v, %v", old.Items, err)
	}
	if now, err := on.Style(uid, "A2046", noon); err != nil || now.Name != "棉衬衫" || now.Items[0].Size != "XL" {
		t.Fatalf("the new style is %+v, %v", now, err)
	}
}

func TestAnotherBrandsGoodsDescribeNothing(t *testing.T) {
	on := shelf.New()
	on.Want(uid, wanted())
	others := all()
	others.BrandId = "brand_0another0brand0of0the0test0"
	on.Approve(others)
	if _, err := on.Style(uid, "A2045", noon); !errors.Is(err, shelf.ErrUnknownStyle) {
		t.Fatalf("got %v", err)
	}
}

func TestCampaignsAreListedByStartInPages(t *testing.T) {
	on := shelf.New()
	for n := range 5 {
		on.Want(fmt.Sprintf("c-%d", n), wanted(func(d *campaignv1.Desired) {
			d.StartAt = timestamppb.New(start.Add(time.Duration(n/2) * time.Hour))
		}))
	}
	on.Want("c-hidden", wanted(func(d *campaignv1.Desired) { d.PreviewAt = timestamppb.New(noon.Add(time.Hour)) }))
	on.Want("c-0", wanted(generation(2), func(d *campaignv1.Desired) { d.StartAt = timestamppb.New(start.Add(9 * time.Hour)) }))
	var got []string
	for cursor := ""; ; {
		page, next, err := on.Campaigns(cursor, 2, noon)
		if err != nil || len(page) > 2 {
			t.Fatalf("got %v, %v", page, err)
		}
		for _, c := range page {
			got = append(got, c.UID)
		}
		if cursor = next; cursor == "" {
			break
		}
	}
	if want := []string{"c-0", "c-4", "c-2", "c-3", "c-1"}; !slices.Equal(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	if _, _, err := on.Campaigns("nonsense", 2, noon); err == nil {
		t.Fatal("a cursor that is none was taken")
	}
}

// Facts of three topics come in any order between the topics.
func TestTheOrderOfTheTopicsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		status := told(campaignv1.Status_PHASE_OPEN, item("C1", 100, 3, 90))
		tried := &brandv1.StyleTried{BrandId: brandID, StyleNo: "A2045", IndexTenths: 67}
		on := shelf.New()
		facts := []func(){
			func() { on.Want(uid, wanted()) },
			func() { on.Report(uid, status) },
			func() { on.Approve(approved(shirt("C1", "M"))) },
			func() { on.Approve(approved(shirt("C2", "L"), trousers())) },
			func() { on.Try(tried) },
		}
		for _, fact := range rapid.Permutation(facts).Draw(t, "order") {
			fact()
		}
		all := stocked(wanted(), status)
		all.Try(tried)
		want, _ := all.Style(uid, "A2045", noon)
		if got, err := on.Style(uid, "A2045", noon); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("got %+v, %v; want %+v", got, err, want)
		}
	})
}

func TestGoodsArePagedWholeAndInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		on := shelf.New()
		known := map[string]bool{}
		for _, piece := range rapid.SliceOfN(rapid.SliceOfN(rapid.IntRange(0, 60), 0, 20), 0, 6).Draw(t, "pieces") {
			var goods []*brandv1.Goods
			for _, n := range piece {
				sku := fmt.Sprintf("S%02d", n)
				goods, known[sku] = append(goods, shirt(sku, "M")), true
			}
			on.Approve(approved(goods...))
		}
		limit := rapid.IntRange(1, 10).Draw(t, "limit")
		var got []string
		for more, after := true, ""; more; {
			var page []shelf.Goods
			page, more = on.Goods(brandID, after, limit)
			for _, g := range page {
				got, after = append(got, g.SKU), g.SKU
			}
		}
		if len(got) != len(known) || !slices.IsSorted(got) {
			t.Fatalf("got %v of %d", got, len(known))
		}
	})
}
