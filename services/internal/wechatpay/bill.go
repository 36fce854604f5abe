package wechatpay

import (
	"bufio"
	"context"
	"crypto/sha1" //nolint:gosec // WeChat Pay's choice: it tells a torn file, its reply's signature tells who made it
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/qingcang/qingcang/services/internal/money"
)

const (
	// maxBillBytes is room for 12 million payments of a day at about 400 bytes each.
	maxBillBytes = 8 << 30
	// billTimeout is for the whole file.
	billTimeout = 30 * time.Minute
)

// BillRow is a payment or a refund as the bill of its day lists it.
type BillRow struct {
	// At is when it was paid, or when the refund was taken.
	At            time.Time
	OutTradeNo    string
	TransactionID string
	// OutRefundNo is set for a refund.
	OutRefundNo string
	// State is that of the payment, "SUCCESS", or of the refund when the bill was
	// written.
	State string
	// Fen is what was paid, or what goes back.
	Fen money.Fen
}

// Refund reports whether the row is a refund.
func (r BillRow) Refund() bool { return r.OutRefundNo != "" }

// TradeBill reads the bill of a day in Asia/Shanghai ("2026-11-22"), which WeChat
// Pay has from ten o'clock of the next on, for three months. The rows come as
// they are read: they count only if the end comes without an error, when the
// file's hash and its totals were found to be right. A day on which nothing
// happened is ErrNoBill.
func (c *Client) TradeBill(ctx context.Context, date string, each func(BillRow) error) error {
	address, hash, err := c.billAddress(ctx, date)
	if err != nil {
		return err
	}
	result, err := c.files.Get(ctx, address)
	if result != nil && result.Response != nil {
		defer func() { _ = result.Response.Body.Close() }() // read only
	}
	if err != nil {
		return remoteFault("download a bill", err)
	}
	sum := sha1.New() //nolint:gosec // see the import
	file := io.TeeReader(result.Response.Body, sum)
	if err := c.readBill(file, each); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); !strings.EqualFold(got, hash) {
		return errReply.Wrap(fmt.Errorf("the bill of %s has the hash %s, not %s", date, got, hash))
	}
	return nil
}

// billAddress asks where a bill can be had, and for its hash.
func (c *Client) billAddress(ctx context.Context, date string) (address, hash string, err error) {
	query := url.Values{"bill_date": {date}, "bill_type": {"ALL"}}
	result, err := c.core.Get(ctx, "https://"+Host+"/v3/bill/tradebill?"+query.Encode())
	if err != nil {
		return "", "", remoteFault("ask for a bill", err)
	}
	defer func() { _ = result.Response.Body.Close() }() // read only
	var reply struct {
		HashType    string `json:"hash_type"`
		HashValue   string `json:"hash_value"`
		DownloadURL string `json:"download_url"`
	}
	if err := json.NewDecoder(result.Response.Body).Decode(&reply); err != nil {
		return "", "", errReply.Wrap(err)
	}
	target, err := url.Parse(reply.DownloadURL)
	if err != nil || target.Scheme != "https" || target.Hostname() != Host || reply.HashType != "SHA1" || reply.HashValue == "" {
		return "", "", errReply.Wrap(fmt.Errorf("the bill of %s is offered at another place or with hash %q", date, reply.HashType))
	}
	return reply.DownloadURL, reply.HashValue, nil
}

// readBill reads a whole bill: a row of names, the rows, a row of names and one
// of totals.
func (c *Client) readBill(file io.Reader, each func(BillRow) error) error {
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, maxBillLineBytes)
	var sheet billSheet
	for lines.Scan() {
		row, isRow, err := sheet.line(lines.Text())
		if err != nil {
			return errReply.Wrap(err)
		}
		if !isRow {
			continue
		}
		if !c.isOurs(row.mchID) {
			return errMerchant
		}
		if err := each(row.BillRow); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return ErrUnavailable.Wrap(fmt.Errorf("read a bill: %w", err))
	}
	if err := sheet.end(); err != nil {
		return errReply.Wrap(err)
	}
	return nil
}
