package world

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/qingcang/qingcang/services/internal/money"
	"github.com/qingcang/qingcang/services/internal/wechatpay"
	"github.com/qingcang/qingcang/services/order/internal/payment"
)

// Provider stands for WeChat Pay without its signatures: a notice is its JSON.
type Provider struct {
	mu      sync.Mutex
	trades  map[string]wechatpay.Trade
	refunds map[string]wechatpay.RefundStatus
}

// Prepay implements app.Cashier.
func (p *Provider) Prepay(_ context.Context, r wechatpay.PrepayRequest) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := p.trades[r.OutTradeNo]; !known {
		p.trades[r.OutTradeNo] = wechatpay.Trade{OutTradeNo: r.OutTradeNo, State: wechatpay.TradeNotPay, Fen: r.Fen}
	}
	return "wx_" + r.OutTradeNo, nil
}

// PaySign implements app.Cashier.
func (p *Provider) PaySign(_ context.Context, prepayID string, _ time.Time) (wechatpay.PayParams, error) {
	return wechatpay.PayParams{Package: "prepay_id=" + prepayID}, nil
}

// Query implements app.Treasury.
func (p *Provider) Query(_ context.Context, outTradeNo string) (wechatpay.Trade, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t, ok := p.trades[outTradeNo]
	if !ok {
		return wechatpay.Trade{}, wechatpay.ErrUnknown
	}
	return t, nil
}

// Close implements app.Treasury.
func (p *Provider) Close(_ context.Context, outTradeNo string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.trades[outTradeNo]
	if t.Paid() {
		return wechatpay.ErrPaid
	}
	t.State = wechatpay.TradeClosed
	p.trades[outTradeNo] = t
	return nil
}

// Refund implements app.Treasury: the money is back at once.
func (p *Provider) Refund(_ context.Context, r wechatpay.RefundRequest) (wechatpay.RefundStatus, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := wechatpay.RefundStatus{OutTradeNo: r.OutTradeNo, OutRefundNo: r.OutRefundNo, State: wechatpay.RefundSuccess, Fen: r.RefundFen}
	p.refunds[r.OutRefundNo] = s
	return s, nil
}

// QueryRefund implements app.Treasury.
func (p *Provider) QueryRefund(_ context.Context, outRefundNo string) (wechatpay.RefundStatus, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, known := p.refunds[outRefundNo]
	if !known {
		return s, wechatpay.ErrUnknown
	}
	return s, nil
}

// ParseNotice implements httpapi.NoticeParser.
func (p *Provider) ParseNotice(_ context.Context, r *http.Request) (n wechatpay.Notice, err error) {
	return n, json.NewDecoder(r.Body).Decode(&n)
}

// pay is a buyer's payment; it returns the notice that tells of it.
func (p *Provider) pay(orderID string, fen money.Fen) wechatpay.Notice {
	p.mu.Lock()
	defer p.mu.Unlock()
	no := payment.PaymentID(orderID)
	p.trades[no] = wechatpay.Trade{OutTradeNo: no, TransactionID: "tx_" + no, State: wechatpay.TradeSuccess, Fen: fen}
	return wechatpay.Notice{ID: "notice_" + no, Kind: wechatpay.NoticePaid, Trade: p.trades[no]}
}

// Refunded is how much went back to buyers.
func (p *Provider) Refunded() (fen money.Fen) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.refunds {
		fen += r.Fen
	}
	return fen
}
