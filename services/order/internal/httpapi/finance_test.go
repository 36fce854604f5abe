package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/testkit"
	"github.com/qingcang/qingcang/services/order/internal/app"
	"github.com/qingcang/qingcang/services/order/internal/payment"
)

const testRefund = "ref_01jz6j8f4tfk2b6a1n8x9q7r5m"

// office is finance's desk: one refund that waits, one day that was compared.
type office struct {
	stage    payment.RefundStage
	after    string
	resolved payment.Resolution
	fails    error
}

func (o *office) Refunds(_ context.Context, stage payment.RefundStage, after string) ([]payment.FinanceRefund, error) {
	o.stage, o.after = stage, after
	return []payment.FinanceRefund{{OrderID: "ord_01jz6j8f4tfk2b6a1n8x9q7r5m", CampaignUID: "c-1", Refund: payment.Refund{
		ID: testRefund, Fen: 500, Reason: "short", Stage: payment.RefundWithFinance, Trouble: payment.TroubleAbnormal,
		Of: payment.Receipt{TransactionID: "4200001"}, Since: time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC),
	}}}, o.fails
}

func (o *office) Resolve(_ context.Context, _ string, r payment.Resolution) error {
	o.resolved = r
	return o.fails
}

func (o *office) Day(_ context.Context, date string) (*orderv1.BillReconciled, error) {
	if date != "2026-11-22" {
		return nil, app.ErrBillPending
	}
	return &orderv1.BillReconciled{
		Date: date, Provider: &orderv1.BillSide{Payments: 1, PaidFen: 100},
		Differences: []*orderv1.BillDifference{{Kind: "missing_here", Entry: "payment", Number: "pay_1", ProviderFen: 100}},
		Counts:      []*orderv1.BillDifferenceCount{{Kind: "missing_here", Count: 1, Fen: 100}},
	}, nil
}

// buyerKeys sign buyers' tokens.
func buyerKeys(t *testing.T) *auth.Keys {
	t.Helper()
	keys, err := auth.NewKeys(map[string][]byte{"k1": bytes.Repeat([]byte{7}, 32)}, "k1")
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// staffed is the door with an issuer of staff tokens.
func staffed(t *testing.T, o *office) (call func(method, path, token string, body any) (int, map[string]any), issuer *testkit.Issuer) {
	t.Helper()
	keys := buyerKeys(t)
	issuer = testkit.StartIssuer(t)
	handler, err := New(nil, NewPayments(nil, nil, nil, keys), NewFinance(o, o), Door{
		Buyers: keys, Staff: auth.NewStaffVerifier(issuer.URL, testkit.Audience, nil).Authenticate,
	})
	if err != nil {
		t.Fatal(err)
	}
	return func(method, path, token string, body any) (int, map[string]any) {
		t.Helper()
		var content io.Reader
		if body != nil {
			data, err := json.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			content = bytes.NewReader(data)
		}
		request := httptest.NewRequest(method, path, content)
		request.Header.Set("Content-Type", "application/json")
		if token != "" {
			request.Header.Set("Authorization", "Bearer "+token)
		}
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, request)
		var got map[string]any
		if strings.Contains(answer.Header().Get("Content-Type"), "json") {
			if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
		}
		return answer.Code, got
	}, issuer
}

func TestFinanceRoutesAreFinances(t *testing.T) {
	o := &office{}
	call, issuer := staffed(t, o)
	buyer, err := auth.Sign(buyerKeys(t), auth.Claims{Subject: "mem_1", Audience: auth.Buyer, Roles: []string{"finance"}}, time.Hour, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	did := map[string]any{"how": "retried", "reference": "x"}
	for name, c := range map[string]struct {
		token       string
		reads, does int
	}{
		"nobody":                       {"", http.StatusUnauthorized, http.StatusUnauthorized},
		"a buyer who calls himself so": {buyer, http.StatusUnauthorized, http.StatusUnauthorized},
		"operations":                   {issuer.Token(t, "operations"), http.StatusForbidden, http.StatusForbidden},
		"finance":                      {issuer.Token(t, "finance"), http.StatusOK, http.StatusNoContent},
	} {
		t.Run(name, func(t *testing.T) {
			o.resolved = payment.Resolution{}
			for _, path := range []string{"/v1/finance/refunds?state=needs_finance", "/v1/finance/reconciliations/2026-11-22"} {
				if status, body := call(http.MethodGet, path, c.token, nil); status != c.reads {
					t.Errorf("%s gives %d %v, want %d", path, status, body, c.reads)
				}
			}
			if status, body := call(http.MethodPost, "/v1/finance/refunds/"+testRefund+"/resolution", c.token, did); status != c.does {
				t.Errorf("saying what was done gives %d %v, want %d", status, body, c.does)
			}
			if took := o.resolved != (payment.Resolution{}); took != (c.does == http.StatusNoContent) {
				t.Errorf("it was taken down: %t", took)
			}
		})
	}
}

func TestFinanceSeesARefundAndSaysWhatItDid(t *testing.T) {
	o := &office{}
	call, issuer := staffed(t, o)
	token := issuer.Token(t, "finance")
	status, body := call(http.MethodGet, "/v1/finance/refunds?state=needs_finance&after="+testRefund, token, nil)
	refunds, _ := body["refunds"].([]any)
	if status != http.StatusOK || len(refunds) != 1 || o.stage != payment.RefundWithFinance || o.after != testRefund {
		t.Fatalf("got %d %v for %+v", status, body, o)
	}
	if r, _ := refunds[0].(map[string]any); r["refundId"] != testRefund || r["trouble"] != "abnormal" || r["state"] != "needs_finance" || r["acceptedAt"] != nil {
		t.Fatalf("got %v", r)
	}
	path := "/v1/finance/refunds/" + testRefund + "/resolution"
	if status, body := call(http.MethodPost, path, token, map[string]any{"how": "paid_otherwise", "reference": "transfer 7"}); status != http.StatusNoContent {
		t.Fatalf("got %d %v", status, body)
	}
	if want := (payment.Resolution{How: payment.PaidElsewhere, Reference: "transfer 7", StaffID: "alice"}); o.resolved != want {
		t.Fatalf("took down %+v", o.resolved)
	}
	o.fails = payment.ErrNotWithFinance
	if status, body := call(http.MethodPost, path, token, map[string]any{"how": "retried", "reference": "x"}); status != http.StatusConflict || body["code"] != "refund_not_with_finance" {
		t.Fatalf("got %d %v", status, body)
	}
	for name, bad := range map[string]map[string]any{
		"another way":         {"how": "forgotten", "reference": "x"},
		"no reference":        {"how": "retried"},
		"an id of its own":    {"how": "retried", "reference": "x", "staffId": "mallory"},
		"a name as reference": {"how": "retried", "reference": "王小明"},
	} {
		if status, _ := call(http.MethodPost, path, token, bad); status != http.StatusBadRequest {
			t.Errorf("%s gives %d", name, status)
		}
	}
}

func TestFinanceSeesWhatADaysBillCameTo(t *testing.T) {
	call, issuer := staffed(t, &office{})
	token := issuer.Token(t, "finance")
	status, body := call(http.MethodGet, "/v1/finance/reconciliations/2026-11-22", token, nil)
	differences, _ := body["differences"].([]any)
	if status != http.StatusOK || len(differences) != 1 {
		t.Fatalf("got %d %v", status, body)
	}
	for path, want := range map[string]int{"2026-11-21": http.StatusNotFound, "yesterday": http.StatusBadRequest} {
		if status, body := call(http.MethodGet, "/v1/finance/reconciliations/"+path, token, nil); status != want {
			t.Errorf("%s gives %d %v", path, status, body)
		}
	}
}
