package wechatpay

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/qingcang/qingcang/services/internal/fault"
)

const (
	billNames = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注"
	billPaid  = "`2026-11-22 12:00:01,`wx1,`" + mchID + ",`0,`,`4200001,`pay_1,`" + openID + ",`JSAPI,`SUCCESS,`OTHERS,`CNY,`398.00,`0.00,`0,`0,`0.00,`0.00,`,`,`衣, 两件,`,`2.39000,`0.60%,`398.00,`0.00,`"
	billBack  = "`2026-11-22  23:59:59,`wx1,`" + mchID + ",`0,`,`4200001,`pay_1,`" + openID + ",`JSAPI,`REFUND,`OTHERS,`CNY,`0.00,`0.00,`5000001,`ref_1,`99.50,`0.00,`ORIGINAL,`PROCESSING,`衣,`,`-0.60000,`0.60%,`0.00,`99.5,`"
	billSums  = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
	billTotal = "`2,`398.00,`99.50,`0.00,`1.79000,`398.00,`99.50"
)

// wholeBill is the file of a day with one payment and one refund.
func wholeBill() string {
	return "\ufeff" + strings.Join([]string{billNames, billPaid, billBack, billSums, billTotal}, "\r\n") + "\r\n"
}

func serveBill(f *fake, file, hash string) {
	const route = "/v3/billdownload/file"
	f.files["GET "+route] = file
	f.answers["GET /v3/bill/tradebill"] = answer{http.StatusOK, map[string]any{
		"hash_type": "SHA1", "hash_value": hash, "download_url": "https://" + Host + route + "?token=a%2Fb",
	}}
}

func hashOf(file string) string {
	sum := sha1.Sum([]byte(file))
	return hex.EncodeToString(sum[:])
}

func readBill(c *Client) (rows []BillRow, err error) {
	err = c.TradeBill(context.Background(), "2026-11-22", func(r BillRow) error {
		r.At = r.At.UTC()
		rows = append(rows, r)
		return nil
	})
	return rows, err
}

func TestABillIsReadRowByRow(t *testing.T) {
	f, client := start(t)
	file := wholeBill()
	serveBill(f, file, hashOf(file))
	rows, err := readBill(client)
	want := []BillRow{
		{At: time.Date(2026, 11, 22, 4, 0, 1, 0, time.UTC), OutTradeNo: "pay_1", TransactionID: "4200001", State: "SUCCESS", Fen: 39_800},
		{At: time.Date(2026, 11, 22, 15, 59, 59, 0, time.UTC), OutTradeNo: "pay_1", TransactionID: "4200001", OutRefundNo: "ref_1", State: "PROCESSING", Fen: 9_950},
	}
	if err != nil || !reflect.DeepEqual(rows, want) {
		t.Fatalf("got %+v, %v", rows, err)
	}
}

func TestARowKeepsNothingOfItsLine(t *testing.T) {
	var sheet billSheet
	if _, _, err := sheet.line(billNames); err != nil {
		t.Fatal(err)
	}
	line := strings.Clone(billBack)
	row, isRow, err := sheet.line(line)
	if err != nil || !isRow {
		t.Fatalf("got %v, %v", row, err)
	}
	begin := uintptr(unsafe.Pointer(unsafe.StringData(line)))
	for _, kept := range []string{row.OutTradeNo, row.TransactionID, row.OutRefundNo, row.State, row.mchID} {
		if at := uintptr(unsafe.Pointer(unsafe.StringData(kept))); at >= begin && at < begin+uintptr(len(line)) {
			t.Errorf("%q holds the line, in which the payer's openid stands", kept)
		}
	}
}

func TestABillIsNotBelieved(t *testing.T) {
	whole := wholeBill()
	for name, c := range map[string]struct {
		file, hash string
		want       fault.Kind
	}{
		"when its hash is another":          {file: whole, hash: hashOf("other"), want: fault.Internal},
		"when it has no totals":             {file: whole[:strings.Index(whole, "总交易单数")], want: fault.Internal},
		"when it is empty":                  {file: "", want: fault.Internal},
		"when a row is missing":             {file: strings.Replace(whole, "`2026-11-22 12:00:01", "\r\n", 1), want: fault.Internal},
		"when the totals are other ones":    {file: strings.Replace(whole, "`2,`398.00", "`3,`398.00", 1), want: fault.Internal},
		"when a column that is read is not": {file: strings.Replace(whole, "申请退款金额", "别的", 1), want: fault.Internal},
		"when an amount has parts of a fen": {file: strings.Replace(whole, "`398.00,`0.00,`\r", "`398.001,`0.00,`\r", 1), want: fault.Internal},
		"when it goes on behind its totals": {file: whole + "`1", want: fault.Internal},
		"when it is another merchant's":     {file: strings.ReplaceAll(whole, mchID, "1"), want: fault.Forbidden},
	} {
		t.Run(name, func(t *testing.T) {
			f, client := start(t)
			if c.hash == "" {
				c.hash = hashOf(c.file)
			}
			serveBill(f, c.file, c.hash)
			if _, err := readBill(client); err == nil || fault.KindOf(err) != c.want {
				t.Fatalf("got %v, want the kind %s", err, c.want)
			}
		})
	}
}

func TestABillThatCannotBeHadSaysWhy(t *testing.T) {
	for name, c := range map[string]struct {
		answer answer
		want   error
	}{
		"nothing happened on that day": {answer{http.StatusBadRequest, map[string]any{"code": "NO_STATEMENT_EXIST"}}, ErrNoBill},
		"it is not made yet":           {answer{http.StatusBadRequest, map[string]any{"code": "STATEMENT_CREATING"}}, ErrUnavailable},
		"WeChat is down":               {answer{http.StatusBadGateway, nil}, ErrUnavailable},
		"it is offered elsewhere": {answer{http.StatusOK, map[string]any{
			"hash_type": "SHA1", "hash_value": "1", "download_url": "https://elsewhere.example/file"}}, errReply},
	} {
		t.Run(name, func(t *testing.T) {
			f, client := start(t)
			f.answers["GET /v3/bill/tradebill"] = c.answer
			if _, err := readBill(client); !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestAStopInTheMiddleOfABillIsItsError(t *testing.T) {
	f, client := start(t)
	file, stop := wholeBill(), errors.New("enough")
	serveBill(f, file, hashOf(file))
	if err := client.TradeBill(context.Background(), "2026-11-22", func(BillRow) error { return stop }); !errors.Is(err, stop) {
		t.Fatalf("got %v", err)
	}
}

func FuzzBill(f *testing.F) {
	f.Add(wholeBill())
	f.Add("`1,`2\n")
	f.Fuzz(func(t *testing.T, file string) {
		client := &Client{mchID: mchID}
		var rows int
		err := client.readBill(strings.NewReader(file), func(r BillRow) error {
			rows++
			if r.Fen < 0 {
				t.Errorf("%d fen", r.Fen)
			}
			return nil
		})
		if err == nil && !strings.Contains(file, colCount) {
			t.Errorf("%d rows without totals are believed", rows)
		}
	})
}
