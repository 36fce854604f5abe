package httpapi

import (
	"context"
	"io"
	"net/http"
	"strconv"

	"github.com/qingcang/qingcang/services/internal/ids"
	"github.com/qingcang/qingcang/services/internal/money"
	"github.com/qingcang/qingcang/services/internal/wechatpay"
	"github.com/qingcang/qingcang/services/store-owner/internal/app"
)

// OrderMembership implements StrictServerInterface.
func (s *Server) OrderMembership(ctx context.Context, r OrderMembershipRequestObject) (OrderMembershipResponseObject, error) {
	p, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	order := app.OrderMembership{PersonID: p.ID, Scope: p.Scope(), Key: r.Params.IdempotencyKey}
	if r.Body != nil && r.Body.FeeFen != nil {
		shown := money.Fen(*r.Body.FeeFen)
		order.Shown = &shown
	}
	order.BodyHash = ids.BodyHash([]byte(said(order.Shown)))
	view, err := s.Memberships.Order(ctx, order)
	if err != nil {
		return nil, err
	}
	return OrderMembership201JSONResponse(membershipOf(view)), nil
}

// said is what a body says, not how it is written. A fee that is not said was hashed as 0 before a
// membership could cost nothing.
func said(shown *money.Fen) string {
	switch {
	case shown == nil:
		return "0"
	case *shown == 0:
		return "nothing"
	default:
		return strconv.FormatInt(int64(*shown), 10)
	}
}

// GetMembership implements StrictServerInterface.
func (s *Server) GetMembership(ctx context.Context, r GetMembershipRequestObject) (GetMembershipResponseObject, error) {
	p, err := caller(ctx)
	if err != nil {
		return nil, err
	}
	view, err := s.Memberships.Get(ctx, p.ID, r.MembershipID)
	if err != nil {
		return nil, err
	}
	return GetMembership200JSONResponse(membershipOf(view)), nil
}

func membershipOf(v app.MembershipView) Membership {
	m := Membership{MembershipID: v.ID, State: MembershipState(v.State), FeeFen: int64(v.Fee), ExpiresAt: v.ExpiresAt.UTC()}
	if v.Payment != nil {
		m.Payment = &JSAPIPayment{
			PrepayID: v.PrepayID, AppID: v.Payment.AppID, TimeStamp: v.Payment.TimeStamp, NonceStr: v.Payment.NonceStr,
			Package: v.Payment.Package, SignType: v.Payment.SignType, PaySign: v.Payment.PaySign,
		}
	}
	return m
}

// ReceiveWechatPayNotice answers 204 only when what the notice says is durable: WeChat Pay repeats
// it until then.
func (s *Server) ReceiveWechatPayNotice(ctx context.Context, r ReceiveWechatPayNoticeRequestObject) (ReceiveWechatPayNoticeResponseObject, error) {
	notice, err := s.Notices.ParseNotice(ctx, signedRequest(r))
	if err != nil {
		return nil, err
	}
	switch notice.Kind {
	case wechatpay.NoticePaid:
		err = s.Fees.Received(ctx, notice.Trade)
	case wechatpay.NoticeRefunded:
		err = s.Fees.Refunded(ctx, notice.Refund)
	}
	if err != nil {
		return nil, err
	}
	return ReceiveWechatPayNotice204Response{}, nil
}

// signedRequest gives back what the signature is about: the headers as they were sent and the
// bytes of the body. A header that is missing is an empty one, which no signature has.
func signedRequest(r ReceiveWechatPayNoticeRequestObject) *http.Request {
	header := http.Header{}
	for name, value := range map[string]*string{
		"Wechatpay-Timestamp": r.Params.WechatpayTimestamp, "Wechatpay-Nonce": r.Params.WechatpayNonce,
		"Wechatpay-Signature": r.Params.WechatpaySignature, "Wechatpay-Serial": r.Params.WechatpaySerial,
	} {
		if value != nil {
			header.Set(name, *value)
		}
	}
	return &http.Request{Method: http.MethodPost, Header: header, Body: io.NopCloser(r.Body)}
}
