package wiring_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"
	"google.golang.org/protobuf/proto"

	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/internal/testkit"
)

const (
	header = "款号,条码,品名,品类,颜色,尺码,吊牌价,结算价,数量,仓库,季节\n"
	shirt  = "TS-22,690001,亚麻衬衫,衬衫,白,M,399.00,59.90,100,杭州一号,夏\n"
	hat    = "M-1,690002,草帽,帽,米,,99,20,10,杭州一号,夏\n"
	bad    = "M-2,690003,草帽,帽,米,,99,120,10,杭州一号,夏\n" // settlement above tag price
)

// TestFromTheStockFileToTheStatement is the brand's part of the story.
func TestFromTheStockFileToTheStatement(t *testing.T) {
	s := newStack(t)
	staff := s.issuer.Token(t, "operations")
	brandID, key := s.brand("Yunshan")
	brand := "/v1/brands/" + brandID

	sub := s.submit(brandID, key, "first-file", strings.NewReader(header+shirt+bad+hat)).wants(http.StatusCreated)
	if got := fmt.Sprint(sub["rowsTaken"], sub["rowsRefused"], sub["faults"]); got != "2 1 [map[column:结算价 reason:The settlement price is above the tag price. row:3]]" {
		t.Fatalf("got %s", got)
	}
	if stock := s.get(brand+"/stock", key).wants(http.StatusOK); len(list(t, stock, "items")) != 0 {
		t.Fatalf("what operations have not approved stands in the pool: %v", stock)
	}
	s.post(brand+"/submissions/"+text(t, sub, "submissionId")+"/approval", staff, "").wants(http.StatusOK)
	s.wantStock(brand, key, "690001: 100 approved, 0 allocated, 0 sold, 100 free", "690002: 10 approved, 0 allocated, 0 sold, 10 free")

	s.want(&campaignv1.Desired{Uid: "sale-1", BrandId: brandID, Generation: 1, Items: []*campaignv1.Item{
		{Sku: "690001", Units: 40, PriceFen: 9900, SettlementFen: 5990}, {Sku: "690002", Units: 10, PriceFen: 4000, SettlementFen: 2000},
	}})
	s.want(&campaignv1.Desired{Uid: "sale-2", BrandId: brandID, Generation: 1, Items: []*campaignv1.Item{{Sku: "690002", Units: 1, SettlementFen: 2000}}})
	s.want(&campaignv1.Desired{Uid: "sale-3", BrandId: "brand_nobody", Generation: 1, Items: []*campaignv1.Item{{Sku: "690002", Units: 1, SettlementFen: 2000}}})
	s.wantAnswers("sale-1/1: 690001 +40, 690002 +10", "sale-2/1: NotEnoughStock", "sale-3/1: UnknownBrand")
	s.wantStock(brand, key, "690001: 100 approved, 40 allocated, 0 sold, 60 free", "690002: 10 approved, 10 allocated, 0 sold, 0 free")

	ids := func(n int) string { return fmt.Sprintf("order/3/%d/0", n) }
	s.say("order.events.v1", 3, ids(1), &orderv1.OrderPaid{OrderId: "ord_1", CampaignUid: "sale-1", BrandId: brandID, Lines: []*orderv1.PaidLine{
		{Sku: "690001", Units: 3, BrandFen: 17970, OwnerFen: 2970, PlatformFen: 8760},
	}})
	s.say("order.events.v1", 3, ids(2), &orderv1.LineShort{OrderId: "ord_1", CampaignUid: "sale-1", BrandId: brandID, Line: &orderv1.ReversedLine{
		Sku: "690001", Units: 1, BrandFen: 5990, OwnerFen: 990, PlatformFen: 2920,
	}})
	s.say("order.events.v1", 3, ids(3), &orderv1.OrderMatured{OrderId: "ord_1", CampaignUid: "sale-1", BrandId: brandID, Lines: []*orderv1.PaidLine{
		{Sku: "690001", Units: 2, BrandFen: 11980, OwnerFen: 1980, PlatformFen: 5840},
	}})
	s.say("order.lane-events.v1", 1, "lanes.shared.v1/1/90/0", &orderv1.StockLetGo{CampaignUid: "sale-1", BrandId: brandID, Drained: true, Generation: 1, Units: []*orderv1.LetGoUnits{
		{Sku: "690001", Units: 37}, {Sku: "690002", Units: 10},
	}})
	s.wantStock(brand, key, "690001: 100 approved, 3 allocated, 3 sold, 97 free", "690002: 10 approved, 0 allocated, 0 sold, 10 free")
	s.wantStatement(brand+"/statements/sale-1", key,
		"sold 3 for 29700, short 1 for 9900, returned 0 for 0; commission 1980, platform 5840, payable 11980, matured 11980; balanced true")

	s.want(&campaignv1.Desired{Uid: "sale-2", BrandId: brandID, Generation: 2, Items: []*campaignv1.Item{{Sku: "690002", Units: 9, SettlementFen: 2000}}})
	s.wantAnswers("sale-1/1: 690001 +40, 690002 +10", "sale-2/1: NotEnoughStock", "sale-2/2: 690002 +9", "sale-3/1: UnknownBrand")

	s.halt()
	s.start() // all of it again from the journal
	s.wantStock(brand, key, "690001: 100 approved, 3 allocated, 3 sold, 97 free", "690002: 10 approved, 9 allocated, 0 sold, 1 free")
	s.wantStatement(brand+"/statements/sale-1", key,
		"sold 3 for 29700, short 1 for 9900, returned 0 for 0; commission 1980, platform 5840, payable 11980, matured 11980; balanced true")
	s.wantAnswers("sale-1/1: 690001 +40, 690002 +10", "sale-2/1: NotEnoughStock", "sale-2/2: 690002 +9", "sale-3/1: UnknownBrand")
	s.wantFreeByEvents(brand, key)
	s.wantNothingPersonal()
}

func TestTheSameSubmissionTwiceChangesNothing(t *testing.T) {
	s := newStack(t)
	brandID, key := s.brand("Yunshan")
	brand := "/v1/brands/" + brandID
	file := header + shirt + bad
	first := s.submit(brandID, key, "first-file", strings.NewReader(file)).wants(http.StatusCreated)
	second := s.submit(brandID, key, "first-file", strings.NewReader(file)).wants(http.StatusCreated)
	if fmt.Sprint(first) != fmt.Sprint(second) {
		t.Errorf("the answers differ:\n%v\n%v", first, second)
	}
	id := text(t, first, "submissionId")
	s.post(brand+"/submissions/"+id+"/approval", s.issuer.Token(t, "operations"), "").wants(http.StatusOK)
	s.post(brand+"/submissions/"+id+"/approval", s.issuer.Token(t, "operations"), "").wants(http.StatusOK)
	third := s.submit(brandID, key, "first-file", strings.NewReader(file)).wants(http.StatusCreated)
	if third["submissionId"] != id || third["state"] != "approved" {
		t.Errorf("got %v, want %s approved", third, id)
	}
	s.wantStock(brand, key, "690001: 100 approved, 0 allocated, 0 sold, 100 free")
	s.submit(brandID, key, "first-file", strings.NewReader(file+hat)).wantsCode(http.StatusUnprocessableEntity, "idempotency_key_reused")
	s.wantStock(brand, key, "690001: 100 approved, 0 allocated, 0 sold, 100 free")
}

func TestOneBrandNeverSeesAnother(t *testing.T) {
	s := newStack(t)
	mine, key := s.brand("Yunshan")
	other, otherKey := s.brand("Haifeng")
	sub := s.submit(other, otherKey, "first-file", strings.NewReader(header+shirt)).wants(http.StatusCreated)
	of := "/v1/brands/" + other
	for _, path := range []string{of, of + "/stock", of + "/submissions/" + text(t, sub, "submissionId"), of + "/statements/sale-1"} {
		t.Run("not even "+path[len(of):], func(t *testing.T) {
			if got := s.get(path, key); got.status != http.StatusNotFound {
				t.Errorf("got %d %s, want 404", got.status, got.body)
			}
		})
	}
	s.submit(other, key, "my-own-file", strings.NewReader(header+shirt)).wantsCode(http.StatusNotFound, "brand_unknown")
	s.get("/v1/brands/"+mine, key).wants(http.StatusOK)
	s.get("/v1/brands", key).wantsCode(http.StatusUnauthorized, "bad_token")
	s.get("/v1/brands/"+mine, strings.TrimSuffix(key, key[len(key)-4:])+"AAAA").wantsCode(http.StatusUnauthorized, "bad_token")
	s.get("/v1/brands/"+mine, "").wantsCode(http.StatusUnauthorized, "no_credentials")
}

func TestStaffAndKeys(t *testing.T) {
	s := newStack(t)
	brandID, key := s.brand("Yunshan")
	of, staff := "/v1/brands/"+brandID, s.issuer.Token(t, "operations")
	s.post(of+"/approval", s.issuer.Token(t, "finance"), "").wantsCode(http.StatusForbidden, "role_missing")
	s.post(of+"/approval", key, "").wantsCode(http.StatusUnauthorized, "bad_token")
	s.post(of+"/keys", staff, "", "Idempotency-Key", "key-for-Yunshan").wantsCode(http.StatusConflict, "key_already_shown")
	s.post("/v1/brands", "", `{"name":"Yunshan","contact":{"name":"Wang","phone":"+8613800000000","email":"a@b"}}`, "Idempotency-Key", "apply-Yunshan").
		wantsCode(http.StatusUnprocessableEntity, "idempotency_key_reused")
	s.post("/v1/brands", "", `{"name":"x","contact":{"name":"n","phone":"1","email":"a@b"},"vip":true}`, "Idempotency-Key", "unknown-field").
		wantsCode(http.StatusBadRequest, "request_invalid")

	shown := s.get(of, staff).wants(http.StatusOK)
	if fmt.Sprint(shown["contact"]) != "map[email:lina@example.com name:Li Na phone:+8613812345678]" {
		t.Errorf("operations see %v", shown)
	}
	for name, token := range map[string]string{"the brand": key, "finance": s.issuer.Token(t, "finance")} {
		if shown := s.get(of, token).wants(http.StatusOK); shown["contact"] != nil {
			t.Errorf("%s sees the contact", name)
		}
	}
	if page := s.get("/v1/brands?state=approved&limit=1", staff).wants(http.StatusOK); len(list(t, page, "items")) != 1 || page["next"] != nil {
		t.Errorf("got %v", page)
	}

	s.post(of+"/suspension", staff, `{"reason":"The licence has run out."}`).wants(http.StatusOK)
	s.submit(brandID, key, "too-late-now", strings.NewReader(header+shirt)).wantsCode(http.StatusConflict, "brand_suspended")
	s.post(of+"/keys/"+text(t, map[string]any{"id": strings.Split(key[4:], ".")[0]}, "id")+"/revocation", staff, "").wants(http.StatusNoContent)
	s.get(of, key).wantsCode(http.StatusUnauthorized, "bad_token")
}

func TestBadStockFiles(t *testing.T) {
	s := newStack(t)
	brandID, key := s.brand("Yunshan")
	gbk, err := simplifiedchinese.GBK.NewEncoder().String(header + shirt)
	if err != nil {
		t.Fatal(err)
	}
	zipped := zip(t, 3_000)
	cases := map[string]struct {
		file       []byte
		headers    []string
		wantStatus int
		want       string // taken, refused, code
	}{
		"GBK is taken":                        {[]byte(gbk), nil, 201, "1 0 "},
		"a byte order mark is no column name": {[]byte("\xef\xbb\xbf" + header + shirt), nil, 201, "1 0 "},
		"gzip is taken":                       {zipped, []string{"Content-Encoding", "gzip"}, 201, "3000 0 "},
		"a truncated gzip takes nothing":      {zipped[:len(zipped)*3/4], []string{"Content-Encoding", "gzip"}, 400, "gzip_damaged"},
		"a missing column takes nothing":      {[]byte(strings.Replace(header, ",结算价", "", 1) + shirt), nil, 400, "bad_header"},
		"an empty file takes nothing":         {nil, nil, 400, "request_invalid"},
		"another encoding takes nothing":      {[]byte(header + shirt), []string{"Content-Encoding", "br"}, 400, "request_invalid"},
		"ten million characters in a cell are one bad row": {
			[]byte(header + shirt + "TS-1,690009," + strings.Repeat("长", 10_000_000) + ",,,,10,1,1,,\n" + hat), nil, 201, "2 1 ",
		},
		"a thousand and one bad rows come back as a thousand faults": {
			[]byte(header + strings.Repeat(bad, 1_001) + shirt), nil, 201, "1 1001 ",
		},
		"a formula is a bad row": {[]byte(header + strings.Replace(shirt, "亚麻衬衫", "=1+1", 1) + hat), nil, 201, "1 1 "},
	}
	n := 0
	for name, c := range cases {
		n++
		idempotencyKey := fmt.Sprintf("bad-file-%02d", n)
		t.Run(name, func(t *testing.T) {
			got := s.submit(brandID, key, idempotencyKey, bytes.NewReader(c.file), c.headers...).wants(c.wantStatus)
			outcome := fmt.Sprint(got["code"])
			if c.wantStatus == http.StatusCreated {
				outcome = fmt.Sprint(got["rowsTaken"], " ", got["rowsRefused"], " ")
				if faults := list(t, got, "faults"); fmt.Sprint(min(1000, len(faults))) != fmt.Sprint(min(got["rowsRefused"].(float64), 1000)) { //nolint:forcetypeassert // a number
					t.Errorf("%d faults for %v bad rows", len(faults), got["rowsRefused"])
				}
			}
			if outcome != c.want {
				t.Errorf("got %q, want %q", outcome, c.want)
			}
		})
	}
	t.Run("a file that was cut off may be sent again under its key", func(t *testing.T) {
		s.submit(brandID, key, "cut-off-once", bytes.NewReader(zipped[:len(zipped)/2]), "Content-Encoding", "gzip").wantsCode(400, "gzip_damaged")
		got := s.submit(brandID, key, "cut-off-once", bytes.NewReader(zipped), "Content-Encoding", "gzip").wants(201)
		if fmt.Sprint(got["rowsTaken"]) != "3000" {
			t.Errorf("got %v", got)
		}
		s.post("/v1/brands/"+brandID+"/submissions/"+text(t, got, "submissionId")+"/approval", s.issuer.Token(t, "operations"), "").wants(200)
		seen := map[string]bool{}
		testkit.Eventually(t, patience, func() error {
			for _, e := range s.told() {
				if approved, ok := e.(*brandv1.GoodsApproved); ok {
					for _, g := range approved.GetGoods() {
						seen[g.GetSku()] = true
					}
				}
			}
			if len(seen) != 3_000 {
				return fmt.Errorf("the others were told of %d SKUs, want 3000", len(seen))
			}
			return nil
		})
	})
}

// zip is a compressed file of so many SKUs.
func zip(t *testing.T, skus int) []byte {
	t.Helper()
	file := header
	for n := range skus {
		file += fmt.Sprintf("TS-22,69%05d,亚麻衬衫,衬衫,白,M,399.00,59.90,100,杭州一号,夏\n", n)
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write([]byte(file)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return zipped.Bytes()
}

// want publishes a campaign's desired state.
func (s *stack) want(d *campaignv1.Desired) {
	s.t.Helper()
	d.Lane = &campaignv1.Lane{Topic: "lanes.shared.v1", Partition: 1}
	if err := s.conn.Put(s.t.Context(), "campaigns.v1", d.GetUid(), d); err != nil {
		s.t.Fatal(err)
	}
}

// wantAnswers waits until the campaigns' answers are exactly these, by uid and generation.
func (s *stack) wantAnswers(want ...string) {
	s.t.Helper()
	testkit.Eventually(s.t, patience, func() error {
		var got []string
		for _, e := range s.told() {
			switch e := e.(type) {
			case *brandv1.StockAllocated:
				var units []string
				for _, u := range e.GetAdd() {
					units = append(units, fmt.Sprintf("%s +%d", u.GetSku(), u.GetUnits()))
				}
				got = append(got, fmt.Sprintf("%s/%d: %s", e.GetCampaignUid(), e.GetGeneration(), strings.Join(units, ", ")))
			case *brandv1.StockRefused:
				got = append(got, fmt.Sprintf("%s/%d: %s", e.GetCampaignUid(), e.GetGeneration(), e.GetReason()))
			}
		}
		return same(got, want)
	})
}

// wantStock waits until the pool is exactly this.
func (s *stack) wantStock(brand, key string, want ...string) {
	s.t.Helper()
	testkit.Eventually(s.t, patience, func() error {
		var got []string
		for _, item := range list(s.t, s.get(brand+"/stock", key).wants(http.StatusOK), "items") {
			got = append(got, fmt.Sprintf("%s: %v approved, %v allocated, %v sold, %v free",
				item["sku"], item["approvedUnits"], item["allocatedUnits"], item["soldUnits"], item["freeUnits"]))
		}
		return same(got, want)
	})
}

func (s *stack) wantStatement(path, key, want string) {
	s.t.Helper()
	testkit.Eventually(s.t, patience, func() error {
		b := s.get(path, key).wants(http.StatusOK)
		fen := func(field string) string { return fmt.Sprintf("%.0f", b[field]) }
		got := fmt.Sprintf("sold %s for %s, short %s for %s, returned %s for %s; commission %s, platform %s, payable %s, matured %s; balanced %v",
			fen("soldUnits"), fen("soldFen"), fen("shortUnits"), fen("shortFen"), fen("returnedUnits"), fen("returnedFen"),
			fen("commissionFen"), fen("platformFen"), fen("payableFen"), fen("maturedFen"), b["balanced"])
		return same([]string{got}, []string{want})
	})
}

// wantNothingPersonal looks for the contact in all that leaves the vault.
func (s *stack) wantNothingPersonal() {
	s.t.Helper()
	places := map[string]string{"the logs": s.logs.String(), "the journal": s.journal()}
	for _, e := range s.told() {
		data, err := proto.Marshal(e)
		if err != nil {
			s.t.Fatal(err)
		}
		places["the events"] += string(data)
	}
	for place, content := range places {
		if content == "" {
			s.t.Errorf("%s are empty: nothing was looked at", place)
		}
		for _, personal := range []string{"Li Na", "13812345678", "lina@example.com"} {
			if strings.Contains(content, personal) {
				s.t.Errorf("%q stands in %s", personal, place)
			}
		}
	}
}

func same(got, want []string) error {
	g, w := strings.Join(got, "\n"), strings.Join(want, "\n")
	if len(got) == len(want) {
		left := map[string]int{}
		for i := range got {
			left[got[i]]++
			left[want[i]]--
		}
		for _, n := range left {
			if n != 0 {
				return fmt.Errorf("got\n%s\nwant\n%s", g, w)
			}
		}
		return nil
	}
	return fmt.Errorf("got\n%s\nwant\n%s", g, w)
}

func list(t *testing.T, body map[string]any, field string) (items []map[string]any) {
	t.Helper()
	all, ok := body[field].([]any)
	if !ok {
		t.Fatalf("no %s in %v", field, body)
	}
	for _, item := range all {
		m, ok := item.(map[string]any)
		if !ok {
			t.Fatalf("%v is no object", item)
		}
		items = append(items, m)
	}
	return items
}
