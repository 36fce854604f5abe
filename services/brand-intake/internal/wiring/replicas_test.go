package wiring_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	campaignv1 "github.com/qingcang/qingcang/proto/gen/campaign/v1"
)

// TestTwoReplicasDecideAsOne has two processes hear the same campaigns, take
// the same requests and publish the same shards.
func TestTwoReplicasDecideAsOne(t *testing.T) {
	s := newStack(t)
	brandID, key := s.brand("Yunshan")
	brand, staff := "/v1/brands/"+brandID, s.issuer.Token(t, "operations")
	first := s.url
	s.start()
	second := s.url

	sub := s.submit(brandID, key, "first-file", strings.NewReader(header+hat)).wants(http.StatusCreated)
	s.url = first
	s.post(brand+"/submissions/"+text(t, sub, "submissionId")+"/approval", staff, "").wants(http.StatusOK)
	s.wantStock(brand, key, "690002: 10 approved, 0 allocated, 0 sold, 10 free")
	for n := range 6 { // ten hats, three for each: three campaigns get them, whoever asks first
		s.want(&campaignv1.Desired{Uid: fmt.Sprintf("sale-%d", n), BrandId: brandID, Generation: 1, Items: []*campaignv1.Item{{Sku: "690002", Units: 3, SettlementFen: 2000}}})
	}
	for _, s.url = range []string{first, second} {
		s.wantStock(brand, key, "690002: 10 approved, 9 allocated, 0 sold, 1 free")
	}
	s.wantAnswers("sale-0/1: 690002 +3", "sale-1/1: 690002 +3", "sale-2/1: 690002 +3",
		"sale-3/1: NotEnoughStock", "sale-4/1: NotEnoughStock", "sale-5/1: NotEnoughStock")

	s.post(brand+"/keys/"+strings.Split(key[len("qck_"):], ".")[0]+"/revocation", staff, "").wants(http.StatusNoContent)
	s.url = first
	s.get(brand, key).wantsCode(http.StatusUnauthorized, "bad_token")
}

// TestTwoUploadsOfOneFile has the second overtake the first: both get the same
// answer and the rows count once.
func TestTwoUploadsOfOneFile(t *testing.T) {
	s := newStack(t)
	brandID, key := s.brand("Yunshan")
	file := header
	for n := range 1_200 {
		file += fmt.Sprintf("TS-22,69%05d,亚麻衬衫,衬衫,白,M,399.00,59.90,100,杭州一号,夏\n", n)
	}
	slow, feed := io.Pipe()
	var first reply
	var wg sync.WaitGroup
	wg.Go(func() { first = s.submit(brandID, key, "first-file", slow) })
	if _, err := io.WriteString(feed, file[:len(file)*9/10]); err != nil {
		t.Fatal(err)
	}
	second := s.submit(brandID, key, "first-file", strings.NewReader(file)).wants(http.StatusCreated)
	if _, err := io.WriteString(feed, file[len(file)*9/10:]); err != nil {
		t.Fatal(err)
	}
	if err := feed.Close(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if got := first.wants(http.StatusCreated); fmt.Sprint(got) != fmt.Sprint(second) || fmt.Sprint(got["rowsTaken"]) != "1200" {
		t.Errorf("the answers differ:\n%v\n%v", got, second)
	}
	id := text(t, second, "submissionId")
	s.post("/v1/brands/"+brandID+"/submissions/"+id+"/approval", s.issuer.Token(t, "operations"), "").wants(http.StatusOK)
	page := s.get("/v1/brands/"+brandID+"/stock?limit=1", key).wants(http.StatusOK)
	if got := fmt.Sprint(list(t, page, "items")[0]["approvedUnits"]); got != "100" || page["next"] != "6900000" {
		t.Errorf("got %s units and next %v, want 100 and 6900000", got, page["next"])
	}
}
