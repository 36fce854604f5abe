package wechatpay

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/qingcang/qingcang/services/internal/money"
)

// maxBillLineBytes is for one row; the longest text in it is a description.
const maxBillLineBytes = 64 << 10

// shanghai is fixed: China has had no summer time since 1991, and a container may
// have no time-zone data.
var shanghai = time.FixedZone("Asia/Shanghai", 8*60*60)

// The columns that are read, by the names in the first row: WeChat Pay says that
// their order may change. The payer's openid is in a column that is not read.
const (
	colTime        = "交易时间"
	colMerchant    = "商户号"
	colTransaction = "微信订单号"
	colTradeNo     = "商户订单号"
	colTradeState  = "交易状态"
	colRefundNo    = "商户退款单号"
	colRefundState = "退款状态"
	colTotal       = "订单金额"
	colRefunded    = "申请退款金额"

	colCount       = "总交易单数"
	colTotalSum    = "订单总金额"
	colRefundedSum = "申请退款总金额"
)

var (
	rowColumns   = []string{colTime, colMerchant, colTransaction, colTradeNo, colTradeState, colRefundNo, colRefundState, colTotal, colRefunded}
	totalColumns = []string{colCount, colTotalSum, colRefundedSum}

	errTorn   = errors.New("the bill ends before its totals")
	errTotals = errors.New("the bill's rows do not add up to its totals")
)

// billSheet reads a bill line by line and adds it up.
type billSheet struct {
	columns map[string]int
	totals  bool // the totals' names were read
	over    bool // and the totals

	rows           int64
	paid, refunded money.Fen
}

// sheetRow is a row and the merchant that it says it is of.
type sheetRow struct {
	BillRow
	mchID string
}

// line reads one line; isRow is false for names and totals.
func (s *billSheet) line(line string) (row sheetRow, isRow bool, err error) {
	line = strings.TrimSuffix(strings.TrimPrefix(line, "\ufeff"), "\r")
	switch {
	case line == "":
		return sheetRow{}, false, nil
	case s.over:
		return sheetRow{}, false, errors.New("the bill goes on behind its totals")
	case !strings.HasPrefix(line, "`"):
		return sheetRow{}, false, s.names(line)
	case s.columns == nil:
		return sheetRow{}, false, errors.New("the bill begins without the names of its columns")
	}
	// A description may have commas; only a comma with a backquote parts fields.
	fields := strings.Split(line[1:], ",`")
	if len(fields) != len(s.columns) {
		return sheetRow{}, false, fmt.Errorf("a row of the bill has %d fields, its names are %d", len(fields), len(s.columns))
	}
	if s.totals {
		return sheetRow{}, false, s.sums(fields)
	}
	row, err = s.row(fields)
	return row, err == nil, err
}

// names reads the names of columns: first those of the rows, then of the totals.
func (s *billSheet) names(line string) error {
	wanted := rowColumns
	if s.columns != nil {
		wanted, s.totals = totalColumns, true
	}
	s.columns = map[string]int{}
	for i, name := range strings.Split(line, ",") {
		s.columns[strings.TrimSpace(name)] = i
	}
	for _, name := range wanted {
		if _, ok := s.columns[name]; !ok {
			return fmt.Errorf("the bill has no column %s", name)
		}
	}
	return nil
}

func (s *billSheet) row(fields []string) (sheetRow, error) {
	// Copied, so that who keeps a row does not keep its line, in which the payer's openid stands.
	of := func(name string) string { return strings.Clone(strings.TrimSpace(fields[s.columns[name]])) }
	at, err := time.ParseInLocation(time.DateTime, strings.Join(strings.Fields(of(colTime)), " "), shanghai)
	if err != nil {
		return sheetRow{}, errors.New("a time of the bill cannot be read")
	}
	r := sheetRow{mchID: of(colMerchant), BillRow: BillRow{
		At: at, OutTradeNo: of(colTradeNo), TransactionID: of(colTransaction), State: of(colTradeState),
	}}
	amount, sum := colTotal, &s.paid
	if r.State == string(TradeRefund) {
		r.OutRefundNo, r.State = of(colRefundNo), of(colRefundState)
		amount, sum = colRefunded, &s.refunded
	}
	if r.Fen, err = fenOf(of(amount)); err != nil {
		return sheetRow{}, err
	}
	if *sum, err = sum.Add(r.Fen); err != nil {
		return sheetRow{}, err
	}
	s.rows++
	return r, nil
}

// sums compares the totals with what was added up.
func (s *billSheet) sums(fields []string) error {
	s.over = true
	of := func(name string) string { return strings.TrimSpace(fields[s.columns[name]]) }
	count, err := strconv.ParseInt(of(colCount), 10, 64)
	if err != nil {
		return errTotals
	}
	paid, paidErr := fenOf(of(colTotalSum))
	refunded, refundedErr := fenOf(of(colRefundedSum))
	if err := errors.Join(paidErr, refundedErr); err != nil {
		return err
	}
	if count != s.rows || paid != s.paid || refunded != s.refunded {
		return errTotals
	}
	return nil
}

// end reports whether the bill is whole.
func (s *billSheet) end() error {
	if !s.over {
		return errTorn
	}
	return nil
}

// fenOf reads an amount in yuan, "12.30", exactly.
func fenOf(yuan string) (money.Fen, error) {
	whole, part, _ := strings.Cut(yuan, ".")
	part = strings.TrimRight(part, "0")
	if len(part) > 2 || whole == "" {
		return 0, errors.New("an amount of the bill is not in yuan and fen")
	}
	fen, err := strconv.ParseUint(whole+(part + "00")[:2], 10, 63)
	if err != nil {
		return 0, errors.New("an amount of the bill is not in yuan and fen")
	}
	return money.Fen(fen), nil
}
