package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// notice tells the merchant of a payment or a refund until it is confirmed.
type notice struct {
	Trade   string `json:"trade,omitempty"`
	Refund  string `json:"refund,omitempty"`
	attempt int
}

// retryDelays is WeChat Pay's schedule: fifteen times in 24 hours and 4 minutes; after the last one
// the merchant has to ask. https://pay.weixin.qq.com/doc/v3/merchant/4012791861
var retryDelays = []time.Duration{
	15 * time.Second, 15 * time.Second, 30 * time.Second, 3 * time.Minute, 10 * time.Minute, 20 * time.Minute,
	30 * time.Minute, 30 * time.Minute, 30 * time.Minute, time.Hour, 3 * time.Hour, 3 * time.Hour, 3 * time.Hour,
	6 * time.Hour, 6 * time.Hour,
}

const noticeSenders = 8

// send queues a notice; the caller holds the lock. A full queue loses it, as the real one may.
func (p *pay) send(n notice) {
	times := 1
	if p.failures.Lose > 0 {
		p.failures.Lose--
		return
	}
	if p.failures.Double > 0 {
		p.failures.Double--
		times = 2
	}
	for range times {
		select {
		case p.notices <- n:
		default:
		}
	}
}

// startNotices sends until ctx ends, those from before the last stop first.
func (p *pay) startNotices(ctx context.Context, client *http.Client) {
	for range noticeSenders {
		go func() {
			for {
				select {
				case <-ctx.Done():
					return
				case n := <-p.notices:
					p.deliver(ctx, client, n)
				}
			}
		}()
	}
	for _, n := range p.pending {
		p.notices <- n
	}
	p.pending = nil
}

func (p *pay) deliver(ctx context.Context, client *http.Client, n notice) {
	err := p.post(ctx, client, n)
	if err == nil {
		if err := p.disk.write(entry{Told: &n}); err != nil {
			p.log.Warn("simulator: notice will be told again", "error", err)
		}
		return
	}
	if n.attempt >= len(retryDelays) {
		return
	}
	delay := retryDelays[n.attempt] / time.Duration(p.hurry)
	n.attempt++
	time.AfterFunc(delay, func() {
		select {
		case p.notices <- n:
		case <-ctx.Done():
		}
	})
}

var errNotConfirmed = errors.New("the merchant did not confirm")

func (p *pay) post(ctx context.Context, client *http.Client, n notice) error {
	address, body, err := p.render(n)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make a notice: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	if err := signBody(request.Header, body, p.keys.platform); err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("send a notice: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<16)) // for the connection's next use
	if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusNoContent {
		return errNotConfirmed
	}
	return nil
}

// render makes the notice's body: the resource, encrypted for the merchant.
func (p *pay) render(n notice) (address string, body []byte, err error) {
	p.mu.Lock()
	event, kind, summary := "TRANSACTION.SUCCESS", "transaction", "支付成功"
	var resource map[string]any
	if n.Refund != "" {
		done := p.refunds[n.Refund]
		t := p.trades[done.OutTradeNo]
		event, kind, summary, address = "REFUND."+done.State, "refund", "退款通知", done.NotifyURL
		resource = done.resource(t)
		resource["mchid"], resource["refund_status"] = t.MchID, resource["status"]
		delete(resource, "status")
	} else {
		t := p.trades[n.Trade]
		address, resource = t.NotifyURL, t.resource()
		resource["trade_state"] = "SUCCESS"
	}
	p.mu.Unlock()
	plaintext, err := json.Marshal(resource)
	if err != nil {
		return "", nil, fmt.Errorf("encode a notice: %w", err)
	}
	sealed, err := encrypt(plaintext, p.keys.apiV3, kind)
	if err != nil {
		return "", nil, err
	}
	body, err = json.Marshal(map[string]any{
		"id": randomHex(16), "create_time": time.Now().Format(time.RFC3339), "resource_type": "encrypt-resource",
		"event_type": event, "summary": summary, "resource": sealed,
	})
	if err != nil {
		return "", nil, fmt.Errorf("encode a notice: %w", err)
	}
	return address, body, nil
}
