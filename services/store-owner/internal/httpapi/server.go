// Package httpapi serves the contract in api/openapi.yaml: it turns requests into use cases, and what
// they say into answers.
package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/httpkit"
	"github.com/qingcang/qingcang/services/internal/wechatpay"
	"github.com/qingcang/qingcang/services/store-owner/internal/app"
)

// NoticeParser verifies what claims to come from WeChat Pay.
type NoticeParser interface {
	ParseNotice(ctx context.Context, r *http.Request) (wechatpay.Notice, error)
}

// Server holds the use cases behind the contract's routes.
type Server struct {
	Sessions    *app.Sessions
	Memberships *app.Memberships
	Fees        *app.Fees
	Shares      *app.Shares
	Wallets     *app.Wallets
	Notices     NoticeParser
}

var _ StrictServerInterface = (*Server)(nil)

// Register puts the contract's routes on an engine.
func Register(engine *gin.Engine, s *Server) {
	strict := NewStrictHandlerWithOptions(s, nil, StrictGinServerOptions{
		RequestErrorHandlerFunc:  httpkit.RequestError,
		HandlerErrorFunc:         httpkit.HandlerError,
		ResponseErrorHandlerFunc: httpkit.ResponseError,
	})
	RegisterHandlersWithOptions(engine, strict, GinServerOptions{ErrorHandler: httpkit.ParameterError})
}

// caller is who sent the request; the contract lets nobody through without a token to the routes
// that ask for it.
func caller(ctx context.Context) (auth.Principal, error) {
	p, ok := auth.PrincipalFrom(ctx)
	if !ok {
		return auth.Principal{}, auth.ErrNoCredentials
	}
	return p, nil
}

const sessionSeconds = int64(app.SessionTTL / time.Second)
