package wechatpay

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/wechatpay-apiv3/wechatpay-go/core"

	"github.com/qingcang/qingcang/services/internal/fault"
)

// The faults of a request to WeChat Pay.
var (
	ErrUnknown     = fault.New(fault.NotFound, "payment_unknown", "WeChat Pay does not know this payment or refund")
	ErrPaid        = fault.New(fault.Conflict, "payment_made", "the payment was made already")
	ErrClosed      = fault.New(fault.Conflict, "payment_closed", "the payment was closed")
	ErrRefused     = fault.New(fault.Unprocessable, "payment_refused", "WeChat Pay refuses this payment or refund")
	ErrUnavailable = fault.New(fault.Unavailable, "payment_unavailable", "WeChat Pay did not answer; try again soon").RetryAfter(2)

	// ErrShort means that our balance does not cover a refund yet.
	ErrShort = fault.New(fault.Unavailable, "balance_short", "the balance at WeChat Pay does not cover the refund; it is tried again").RetryAfter(60)
	// ErrNoBill means that nothing was paid and nothing given back on that day.
	ErrNoBill = fault.New(fault.NotFound, "bill_none", "WeChat Pay has no bill of this day")

	errReply = fault.New(fault.Internal, "payment_reply", "WeChat Pay answered what was not asked")
)

// byCode gives WeChat's error codes their faults; see
// https://pay.weixin.qq.com/doc/v3/merchant/4012081609. What is not here goes by
// its status.
var byCode = map[string]*fault.Error{
	"ORDER_NOT_EXIST":     ErrUnknown,
	"ORDERNOTEXIST":       ErrUnknown,
	"RESOURCE_NOT_EXISTS": ErrUnknown,
	"ORDERPAID":           ErrPaid,
	"ORDER_PAID":          ErrPaid,
	"ORDER_CLOSED":        ErrClosed,
	"ORDERCLOSED":         ErrClosed,
	"NO_STATEMENT_EXIST":  ErrNoBill,
	"STATEMENT_CREATING":  ErrUnavailable,
	"NOT_ENOUGH":          ErrShort,
	"FREQUENCY_LIMITED":   ErrUnavailable,
	"RATELIMIT_EXCEEDED":  ErrUnavailable,
	"SYSTEM_ERROR":        ErrUnavailable,
	"SYSTEMERROR":         ErrUnavailable,
	"BIZERR_NEED_RETRY":   ErrUnavailable,
}

// remoteFault gives an error of the library its kind. Of WeChat's answer it
// keeps the status and the code only: the message may quote what was sent.
func remoteFault(what string, err error) error {
	var api *core.APIError
	if !errors.As(err, &api) {
		return ErrUnavailable.Wrap(fmt.Errorf("%s: %w", what, err))
	}
	cause := fmt.Errorf("%s: WeChat Pay answered %d %q", what, api.StatusCode, api.Code)
	if f, ok := byCode[api.Code]; ok {
		return f.Wrap(cause)
	}
	switch {
	case api.StatusCode == http.StatusNotFound:
		return ErrUnknown.Wrap(cause)
	case api.StatusCode == http.StatusTooManyRequests, api.StatusCode >= http.StatusInternalServerError:
		return ErrUnavailable.Wrap(cause)
	case api.StatusCode == http.StatusUnauthorized:
		return errReply.Wrap(cause) // our signature or certificate is wrong
	default:
		return ErrRefused.Wrap(cause)
	}
}
