package wiring_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	brandv1 "github.com/qingcang/qingcang/proto/gen/brand/v1"
	"github.com/qingcang/qingcang/services/internal/testkit"
)

// TestTrials has trial users score a style, and score it again.
func TestTrials(t *testing.T) {
	s := newStack(t)
	staff := s.issuer.Token(t, "operations")
	brandID, key := s.brand("Yunshan")
	brand := "/v1/brands/" + brandID
	try := func(style, token, idempotencyKey, scores string) reply {
		return s.post(brand+"/styles/"+style+"/trials", token, `{"scores":[`+scores+`]}`, "Idempotency-Key", idempotencyKey)
	}
	const good, better = `{"performance":8,"price":9,"look":6,"packaging":5}`, `{"performance":9,"price":9,"look":9,"packaging":8}`

	try("M-1", staff, "before-there-is-any", good).wantsCode(http.StatusNotFound, "style_unknown")
	sub := s.submit(brandID, key, "first-file", strings.NewReader(header+shirt+hat)).wants(http.StatusCreated)
	s.post(brand+"/submissions/"+text(t, sub, "submissionId")+"/approval", staff, "").wants(http.StatusOK)

	first := try("M-1", staff, "first-trial", good).wants(http.StatusCreated)
	if first["trialIndexTenths"] != 70.0 || first["testers"] != 1.0 || first["styleNo"] != "M-1" {
		t.Errorf("got %v, want 7.0 of one tester", first)
	}
	second := try("M-1", staff, "second-trial", better+","+good).wants(http.StatusCreated)
	if again := try("M-1", staff, "first-trial", good).wants(http.StatusCreated); fmt.Sprint(again) != fmt.Sprint(first) {
		t.Errorf("the repeat: %v, want %v", again, first)
	}
	try("M-1", staff, "first-trial", better).wantsCode(http.StatusUnprocessableEntity, "idempotency_key_reused")
	try("M-9", staff, "another-style", good).wantsCode(http.StatusNotFound, "style_unknown")
	s.post("/v1/brands/brand_00000000000000000000000000/styles/M-1/trials", staff, `{"scores":[`+good+`]}`, "Idempotency-Key", "no-such-brand").
		wantsCode(http.StatusNotFound, "brand_unknown")
	for name, scores := range map[string]string{
		"nobody":            "",
		"eleven points":     `{"performance":11,"price":9,"look":6,"packaging":5}`,
		"no points":         `{"performance":0,"price":9,"look":6,"packaging":5}`,
		"half a point":      `{"performance":8.5,"price":9,"look":6,"packaging":5}`,
		"an aspect less":    `{"performance":8,"price":9,"look":6}`,
		"the tester, too":   `{"performance":8,"price":9,"look":6,"packaging":5,"tester":"Li Na"}`,
		"201 testers":       strings.TrimSuffix(strings.Repeat(good+",", 201), ","),
		"no list of a kind": `"all liked it"`,
	} {
		if got := try("M-1", staff, "bad-"+strings.ReplaceAll(name[:5], " ", "-"), scores); got.status != http.StatusBadRequest {
			t.Errorf("%s: got %d %s", name, got.status, got.body)
		}
	}
	try("M-1", key, "by-the-brand", good).wantsCode(http.StatusUnauthorized, "bad_token")
	if got := try("M-1", s.issuer.Token(t, "finance"), "by-finance", good); got.status != http.StatusForbidden {
		t.Errorf("finance: got %d %s", got.status, got.body)
	}

	s.halt()
	s.start()
	indexes := map[string]any{}
	for _, item := range list(t, s.get(brand+"/stock", key).wants(http.StatusOK), "items") {
		indexes[text(t, item, "sku")] = item["trialIndexTenths"]
	}
	if want := map[string]any{"690001": nil, "690002": second["trialIndexTenths"]}; fmt.Sprint(indexes) != fmt.Sprint(want) {
		t.Errorf("the stock list says %v, want %v", indexes, want)
	}
	testkit.Eventually(t, patience, func() error {
		var got []string
		for _, e := range s.told() {
			if tried, ok := e.(*brandv1.StyleTried); ok {
				got = append(got, fmt.Sprintf("%s %d of %d", tried.GetStyleNo(), tried.GetIndexTenths(), tried.GetTesters()))
			}
		}
		return same(got, []string{"M-1 70 of 1", "M-1 78 of 2"})
	})
}

// wantFreeByEvents folds what is published as the README says, and wants the free units of the stock list.
func (s *stack) wantFreeByEvents(brand, key string) {
	s.t.Helper()
	testkit.Eventually(s.t, patience, func() error {
		free := map[string]int64{}
		move := func(units []*brandv1.AllocatedUnits, sign int64) {
			for _, u := range units {
				free[u.GetSku()] += sign * u.GetUnits()
			}
		}
		for _, e := range s.told() {
			switch e := e.(type) {
			case *brandv1.GoodsApproved:
				for _, g := range e.GetGoods() {
					free[g.GetSku()] += g.GetUnits()
				}
			case *brandv1.StockAllocated:
				move(e.GetAdd(), -1)
			case *brandv1.StockReleased:
				move(e.GetUnits(), +1)
			}
		}
		var got, want []string
		for _, item := range list(s.t, s.get(brand+"/stock", key).wants(http.StatusOK), "items") {
			sku := text(s.t, item, "sku")
			got = append(got, fmt.Sprint(sku, " ", free[sku]))
			want = append(want, fmt.Sprint(sku, " ", item["freeUnits"]))
		}
		return same(got, want)
	})
}
