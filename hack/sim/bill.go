package main

import (
	"cmp"
	"crypto/sha1" //nolint:gosec // WeChat Pay's choice
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The names of a bill's columns and of its totals, as WeChat Pay writes them for bill_type ALL.
const (
	billColumns = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注"
	billTotals  = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
)

// maxBills is how many files are kept for a download.
const maxBills = 16

var shanghai = time.FixedZone("Asia/Shanghai", 8*60*60)

// billRow is a payment, or a refund of one.
type billRow struct {
	at   time.Time
	of   *trade
	back *refund
	fen  int64
}

// tradeBill offers the bill of a day. The real one does so from ten o'clock of the next day on.
func (p *pay) tradeBill(r *http.Request, _ []byte) (any, error) {
	from, err := time.ParseInLocation(time.DateOnly, r.URL.Query().Get("bill_date"), shanghai)
	if err != nil {
		return nil, no(http.StatusBadRequest, "PARAM_ERROR", "bill_date is a day")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	rows := p.failures.Bill.spoil(p.billRows(from, from.AddDate(0, 0, 1)), from)
	if len(rows) == 0 {
		return nil, no(http.StatusBadRequest, "NO_STATEMENT_EXIST", "no bill of this day")
	}
	file := writeBill(rows)
	if len(p.bills) >= maxBills {
		clear(p.bills)
	}
	token := randomHex(16)
	p.bills[token] = file
	sum := sha1.Sum([]byte(file)) //nolint:gosec // WeChat Pay's choice
	return map[string]any{
		"hash_type": "SHA1", "hash_value": hex.EncodeToString(sum[:]),
		"download_url": "https://api.mch.weixin.qq.com/v3/billdownload/file?token=" + token,
	}, nil
}

// downloadBill sends a file that was offered. Its answer is not signed, as WeChat Pay's is not.
func (p *pay) downloadBill(w http.ResponseWriter, r *http.Request) {
	if verifyRequest(r, nil, p.keys.merchant) != nil {
		writeJSON(w, http.StatusUnauthorized, map[string]any{"code": "SIGN_ERROR", "message": "the signature is wrong"})
		return
	}
	p.mu.Lock()
	file, ok := p.bills[r.URL.Query().Get("token")]
	p.mu.Unlock()
	if !ok {
		writeJSON(w, http.StatusNotFound, map[string]any{"code": "RESOURCE_NOT_EXISTS", "message": "no such file"})
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, file) // a caller that is gone gets nothing
}

// billRows are the payments and refunds of [from, to) by time.
func (p *pay) billRows(from, to time.Time) (rows []billRow) {
	within := func(at time.Time) bool { return !at.Before(from) && at.Before(to) }
	for _, t := range p.trades {
		if t.State == "SUCCESS" && within(t.PaidAt) {
			rows = append(rows, billRow{at: t.PaidAt, of: t, fen: t.Fen})
		}
	}
	for _, d := range p.refunds {
		if within(d.At) {
			rows = append(rows, billRow{at: d.At, of: p.trades[d.OutTradeNo], back: d, fen: d.Fen})
		}
	}
	slices.SortFunc(rows, func(a, b billRow) int {
		return cmp.Or(a.at.Compare(b.at), strings.Compare(a.of.OutTradeNo, b.of.OutTradeNo))
	})
	return rows
}

// spoil makes a bill wrong in as many rows as was asked for, the first ones.
func (f billFaults) spoil(rows []billRow, day time.Time) []billRow {
	rows = rows[min(f.Missing, len(rows)):]
	for i := range min(f.Wrong, len(rows)) {
		rows[i].fen++
	}
	rows = append(slices.Clone(rows[:min(f.Doubled, len(rows))]), rows...)
	for n := range f.Strange {
		strange := &trade{MchID: "1900000109", AppID: "wx0", OutTradeNo: fmt.Sprintf("pay_strange_%d", n), OpenID: "o0", Transaction: fmt.Sprintf("42%d", n)}
		if len(rows) > 0 {
			strange.MchID = rows[0].of.MchID
		}
		rows = append(rows, billRow{at: day, of: strange, fen: 100})
	}
	return rows
}

func writeBill(rows []billRow) string {
	var out strings.Builder
	out.WriteString("\ufeff" + billColumns + "\r\n")
	var paid, refunded int64
	for _, r := range rows {
		if r.back == nil {
			paid += r.fen
		} else {
			refunded += r.fen
		}
		writeFields(&out, r.fields())
	}
	out.WriteString(billTotals + "\r\n")
	writeFields(&out, []string{strconv.Itoa(len(rows)), yuan(paid), yuan(refunded), "0.00", "0.00000", yuan(paid), yuan(refunded)})
	return out.String()
}

func writeFields(out *strings.Builder, fields []string) {
	out.WriteString("`" + strings.Join(fields, ",`") + "\r\n")
}

func (r billRow) fields() []string {
	state, refundID, refundNo, way, refundState, total, back := "SUCCESS", "0", "0", "", "", yuan(r.fen), "0.00"
	if r.back != nil {
		state, refundID, refundNo, way, refundState, total, back = "REFUND", r.back.ID, r.back.OutRefundNo, "ORIGINAL", r.back.State, "0.00", yuan(r.fen)
	}
	return []string{
		r.at.In(shanghai).Format(time.DateTime), r.of.AppID, r.of.MchID, "0", "", r.of.Transaction, r.of.OutTradeNo, r.of.OpenID, "JSAPI", state,
		"OTHERS", "CNY", total, "0.00", refundID, refundNo, back, "0.00", way, refundState, "清仓订单, Qingcang order", "", "0.00000", "0.60%", total, back, "",
	}
}

func yuan(fen int64) string { return fmt.Sprintf("%d.%02d", fen/100, fen%100) }
