package main

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// trade is one payment; refund one return of money. Both are what the log keeps and what answers
// are made from.
type trade struct {
	MchID       string    `json:"mchid"`
	AppID       string    `json:"appid"`
	OutTradeNo  string    `json:"out_trade_no"`
	PrepayID    string    `json:"prepay_id"`
	OpenID      string    `json:"openid"`
	NotifyURL   string    `json:"notify_url"`
	Fen         int64     `json:"fen"`
	ExpiresAt   time.Time `json:"expires_at"`
	State       string    `json:"state"` // NOTPAY, SUCCESS, CLOSED
	Transaction string    `json:"transaction_id,omitempty"`
	PaidAt      time.Time `json:"paid_at"`
	Refunded    int64     `json:"refunded_fen"`
}

type refund struct {
	ID          string    `json:"refund_id"`
	OutRefundNo string    `json:"out_refund_no"`
	OutTradeNo  string    `json:"out_trade_no"`
	NotifyURL   string    `json:"notify_url"`
	Fen         int64     `json:"fen"`
	At          time.Time `json:"at"`
	State       string    `json:"state"` // SUCCESS, CLOSED, ABNORMAL
	SettledAt   time.Time `json:"settled_at"`
}

// pay is the simulated provider. What it answers is in its log before.
type pay struct {
	keys    *keySet
	log     *slog.Logger
	disk    *disk
	notices chan notice
	hurry   int // how many times as fast as WeChat Pay a notice is repeated

	mu       sync.Mutex
	trades   map[string]*trade  // by out_trade_no
	prepays  map[string]*trade  // by prepay_id
	refunds  map[string]*refund // by out_refund_no
	pending  []notice           // read from the log, not confirmed before the last stop
	failures faults
	bills    map[string]string // files that were offered, by token
}

func openPay(dir string, keys *keySet, hurry int, log *slog.Logger) (*pay, error) {
	p := &pay{
		keys: keys, log: log, notices: make(chan notice, 1<<16), hurry: hurry, bills: map[string]string{},
		trades: map[string]*trade{}, prepays: map[string]*trade{}, refunds: map[string]*refund{},
	}
	var err error
	p.disk, err = openDisk(dir, p.restore)
	return p, err
}

func (p *pay) close() { p.disk.close() }

func (p *pay) routes(mux *http.ServeMux) {
	mux.HandleFunc("POST /v3/pay/transactions/jsapi", p.signed(p.prepay))
	mux.HandleFunc("GET /v3/pay/transactions/out-trade-no/{no}", p.signed(p.query))
	mux.HandleFunc("POST /v3/pay/transactions/out-trade-no/{no}/close", p.signed(p.closeTrade))
	mux.HandleFunc("POST /v3/refund/domestic/refunds", p.signed(p.refund))
	mux.HandleFunc("GET /v3/refund/domestic/refunds/{no}", p.signed(p.queryRefund))
	mux.HandleFunc("GET /v3/bill/tradebill", p.signed(p.tradeBill))
	mux.HandleFunc("GET /v3/billdownload/file", p.downloadBill)
	mux.HandleFunc("POST /sim/pay", p.payAsUser)
	mux.HandleFunc("POST /sim/refund", p.refundByHand)
	mux.HandleFunc("POST /sim/faults", p.setFaults)
}

// failure is an answer of WeChat Pay that says no.
type failure struct {
	status        int
	code, message string
}

func (f *failure) Error() string { return f.code }

func no(status int, code, message string) error { return &failure{status, code, message} }

// signed checks the merchant's signature, and signs the answer.
func (p *pay) signed(handle func(r *http.Request, body []byte) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			writeJSON(w, http.StatusBadRequest, map[string]any{"code": "PARAM_ERROR", "message": "the body cannot be read"})
			return
		}
		status, answer := http.StatusOK, any(nil)
		if verifyRequest(r, body, p.keys.merchant) != nil {
			err = no(http.StatusUnauthorized, "SIGN_ERROR", "the signature is wrong")
		} else {
			answer, err = handle(r, body)
		}
		var says *failure
		switch {
		case errors.As(err, &says):
			status, answer = says.status, map[string]any{"code": says.code, "message": says.message}
		case err != nil:
			p.log.Error("simulator failed", "error", err)
			status, answer = http.StatusInternalServerError, map[string]any{"code": "SYSTEM_ERROR", "message": "try again"}
		case answer == nil:
			status = http.StatusNoContent
		}
		p.reply(w, status, answer)
	}
}

func (p *pay) reply(w http.ResponseWriter, status int, answer any) {
	var data []byte
	if answer != nil {
		var err error
		if data, err = json.Marshal(answer); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
	}
	if err := signBody(w.Header(), data, p.keys.platform); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.WriteHeader(status)
	_, _ = w.Write(data) // a caller that is gone gets nothing
}

func (p *pay) prepay(_ *http.Request, body []byte) (any, error) {
	var in struct {
		AppID       string    `json:"appid"`
		MchID       string    `json:"mchid"`
		Description string    `json:"description"`
		OutTradeNo  string    `json:"out_trade_no"`
		TimeExpire  time.Time `json:"time_expire"`
		NotifyURL   string    `json:"notify_url"`
		Amount      struct {
			Total    int64  `json:"total"`
			Currency string `json:"currency"`
		} `json:"amount"`
		Payer struct {
			OpenID string `json:"openid"`
		} `json:"payer"`
	}
	if err := json.Unmarshal(body, &in); err != nil || in.OutTradeNo == "" || len(in.OutTradeNo) > 32 || in.Amount.Total <= 0 ||
		in.Payer.OpenID == "" || in.NotifyURL == "" || in.Description == "" || in.AppID == "" || in.MchID == "" {
		return nil, no(http.StatusBadRequest, "PARAM_ERROR", "a parameter is missing or wrong")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if old, ok := p.trades[in.OutTradeNo]; ok {
		switch {
		case old.State == "SUCCESS":
			return nil, no(http.StatusBadRequest, "ORDERPAID", "the order is paid")
		case old.State == "CLOSED":
			return nil, no(http.StatusBadRequest, "ORDER_CLOSED", "the order is closed")
		case old.Fen != in.Amount.Total || old.OpenID != in.Payer.OpenID:
			return nil, no(http.StatusBadRequest, "INVALID_REQUEST", "the order was made with other parameters")
		}
		return map[string]any{"prepay_id": old.PrepayID}, nil
	}
	t := &trade{
		MchID: in.MchID, AppID: in.AppID, OutTradeNo: in.OutTradeNo, PrepayID: "wx" + randomHex(15), OpenID: in.Payer.OpenID,
		NotifyURL: in.NotifyURL, Fen: in.Amount.Total, ExpiresAt: in.TimeExpire, State: "NOTPAY",
	}
	if err := p.disk.write(entry{Trade: t}); err != nil {
		return nil, err
	}
	p.trades[t.OutTradeNo], p.prepays[t.PrepayID] = t, t
	return map[string]any{"prepay_id": t.PrepayID}, nil
}

func (p *pay) query(r *http.Request, _ []byte) (any, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t, ok := p.trades[r.PathValue("no")]
	if !ok {
		return nil, no(http.StatusNotFound, "ORDER_NOT_EXIST", "no such order")
	}
	return t.resource(), nil
}

func (p *pay) closeTrade(r *http.Request, _ []byte) (any, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t, ok := p.trades[r.PathValue("no")]
	switch {
	case !ok:
		return nil, no(http.StatusNotFound, "ORDER_NOT_EXIST", "no such order")
	case t.State == "SUCCESS":
		return nil, no(http.StatusBadRequest, "ORDERPAID", "the order is paid")
	case t.State == "CLOSED":
		return nil, nil
	}
	changed := *t
	changed.State = "CLOSED"
	if err := p.disk.write(entry{Trade: &changed}); err != nil {
		return nil, err
	}
	*t = changed
	return nil, nil
}

func (p *pay) refund(_ *http.Request, body []byte) (any, error) {
	var in struct {
		OutTradeNo  string `json:"out_trade_no"`
		OutRefundNo string `json:"out_refund_no"`
		NotifyURL   string `json:"notify_url"`
		Amount      struct {
			Refund int64 `json:"refund"`
			Total  int64 `json:"total"`
		} `json:"amount"`
	}
	if err := json.Unmarshal(body, &in); err != nil || in.OutRefundNo == "" || in.Amount.Refund <= 0 {
		return nil, no(http.StatusBadRequest, "PARAM_ERROR", "a parameter is missing or wrong")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	t, ok := p.trades[in.OutTradeNo]
	switch {
	case !ok || t.State != "SUCCESS":
		return nil, no(http.StatusNotFound, "RESOURCE_NOT_EXISTS", "no such payment")
	case in.Amount.Total != t.Fen:
		return nil, no(http.StatusBadRequest, "INVALID_REQUEST", "the total differs from the payment's")
	}
	if old, ok := p.refunds[in.OutRefundNo]; ok {
		if old.Fen != in.Amount.Refund || old.OutTradeNo != in.OutTradeNo {
			return nil, no(http.StatusBadRequest, "INVALID_REQUEST", "the refund was made with other parameters")
		}
		return old.resource(t), nil
	}
	if t.Refunded+in.Amount.Refund > t.Fen {
		return nil, no(http.StatusBadRequest, "INVALID_REQUEST", "more than was paid would go back")
	}
	now := time.Now()
	done := &refund{
		ID: "5" + randomHex(13), OutRefundNo: in.OutRefundNo, OutTradeNo: in.OutTradeNo, NotifyURL: in.NotifyURL,
		Fen: in.Amount.Refund, At: now, State: p.failures.refundState(),
	}
	changed := *t
	if done.State == refundSuccess {
		done.SettledAt = now
	}
	if done.State != refundClosed {
		changed.Refunded += done.Fen
	}
	if err := p.disk.write(entry{Trade: &changed, Refund: done}); err != nil {
		return nil, err
	}
	*t = changed
	p.refunds[done.OutRefundNo] = done
	if done.NotifyURL != "" {
		p.send(notice{Refund: done.OutRefundNo})
	}
	return done.resource(t), nil
}

func (p *pay) queryRefund(r *http.Request, _ []byte) (any, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	done, ok := p.refunds[r.PathValue("no")]
	if !ok {
		return nil, no(http.StatusNotFound, "RESOURCE_NOT_EXISTS", "no such refund")
	}
	return done.resource(p.trades[done.OutTradeNo]), nil
}

// payAsUser is the buyer's thumb on the phone: {prepayId}. Late pays although the time is over,
// as when the money was on its way.
func (p *pay) payAsUser(w http.ResponseWriter, r *http.Request) {
	var in struct {
		PrepayID string `json:"prepayId"`
		Late     bool   `json:"late"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		writeJSON(w, http.StatusBadRequest, map[string]any{"error": "send {\"prepayId\": …}"})
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	t, ok := p.prepays[in.PrepayID]
	switch {
	case !ok:
		writeJSON(w, http.StatusNotFound, map[string]any{"error": "no such prepay"})
		return
	case t.State == "SUCCESS":
		writeJSON(w, http.StatusOK, map[string]any{"transactionId": t.Transaction})
		return
	case t.State == "CLOSED" || !in.Late && !t.ExpiresAt.IsZero() && time.Now().After(t.ExpiresAt):
		writeJSON(w, http.StatusConflict, map[string]any{"error": "the time to pay is over"})
		return
	}
	changed := *t
	changed.State, changed.Transaction, changed.PaidAt = "SUCCESS", "42000"+randomHex(11), time.Now()
	if err := p.disk.write(entry{Trade: &changed}); err != nil {
		writeJSON(w, http.StatusInternalServerError, map[string]any{"error": err.Error()})
		return
	}
	*t = changed
	p.send(notice{Trade: t.OutTradeNo})
	writeJSON(w, http.StatusOK, map[string]any{"transactionId": t.Transaction})
}

// resource is the payment as queries and notices show it.
func (t *trade) resource() map[string]any {
	out := map[string]any{
		"appid": t.AppID, "mchid": t.MchID, "out_trade_no": t.OutTradeNo, "trade_type": "JSAPI", "trade_state": t.State,
		"trade_state_desc": t.State, "bank_type": "OTHERS", "attach": "",
		"amount": map[string]any{"total": t.Fen, "payer_total": t.Fen, "currency": "CNY", "payer_currency": "CNY"},
		"payer":  map[string]any{"openid": t.OpenID},
	}
	if t.State == "SUCCESS" {
		out["transaction_id"], out["success_time"] = t.Transaction, t.PaidAt.Format(time.RFC3339)
		if t.Refunded > 0 {
			out["trade_state"] = "REFUND"
		}
	}
	return out
}

// resource is the refund as answers show it; notices use other names for two fields.
func (d *refund) resource(t *trade) map[string]any {
	out := map[string]any{
		"refund_id": d.ID, "out_refund_no": d.OutRefundNo, "transaction_id": t.Transaction, "out_trade_no": t.OutTradeNo,
		"channel": "ORIGINAL", "user_received_account": "零钱",
		"create_time": d.At.Format(time.RFC3339), "status": d.State, "funds_account": "UNSETTLED",
		"amount": map[string]any{
			"total": t.Fen, "refund": d.Fen, "payer_total": t.Fen, "payer_refund": d.Fen, "settlement_refund": d.Fen,
			"settlement_total": t.Fen, "discount_refund": 0, "currency": "CNY",
		},
	}
	if d.State == refundSuccess {
		out["success_time"] = d.SettledAt.Format(time.RFC3339)
	}
	return out
}
