// Package httpapi is the service's HTTP door: the contract's types, and their
// translation to and from the use cases.
package httpapi

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/httpkit"
	"github.com/qingcang/qingcang/services/order/api"
	"github.com/qingcang/qingcang/services/order/internal/app"
)

// Service names this service's spans and its consumer group.
const Service = "order"

// maxBodyBytes leaves room for 500 lines.
const maxBodyBytes = 128 << 10

// OrderDesk places, shows and cancels orders.
type OrderDesk interface {
	Refusal(ctx context.Context, c app.PlaceOrder) (app.Refusal, error)
	Place(ctx context.Context, c app.PlaceOrder) (app.OrderView, error)
	Get(ctx context.Context, orderID, buyerID string) (app.OrderView, error)
	Cancel(ctx context.Context, orderID, buyerID string) (app.OrderView, error)
}

// Server answers the routes of the contract.
type Server struct {
	*Payments
	*Finance
	orders OrderDesk
	limit  *httpkit.Limiter
}

var _ StrictServerInterface = (*Server)(nil)

// Door is what the server needs besides the use cases.
type Door struct {
	// Buyers verify buyer tokens, Staff OIDC tokens; without Staff nobody is staff.
	Buyers *auth.Keys
	Staff  func(*http.Request) (auth.Principal, error)
	// Probes serves /livez and /readyz.
	Probes http.Handler
	// Log takes errors; nil is slog.Default().
	Log *slog.Logger
}

// New returns the service's HTTP handler.
func New(orders OrderDesk, payments *Payments, finance *Finance, door Door) (http.Handler, error) {
	if door.Staff == nil {
		door.Staff = nobodyIsStaff
	}
	limit, err := httpkit.NewLimiter("order.lane_writes")
	if err != nil {
		return nil, err
	}
	counter, err := newCounter(orders, limit)
	if err != nil {
		return nil, err
	}
	engine, err := httpkit.New(httpkit.Options{
		Service: Service, Spec: api.Spec, MaxBodyBytes: maxBodyBytes, Probes: door.Probes, Log: door.Log,
		Auth: httpkit.Authenticators{
			"buyerToken": door.Buyers.Authenticate(auth.Buyer),
			"staffToken": door.Staff,
		},
		Direct: map[string]httpkit.Direct{"placeOrder": counter.place},
	})
	if err != nil {
		return nil, err
	}
	strict := NewStrictHandlerWithOptions(&Server{Payments: payments, Finance: finance, orders: orders, limit: limit}, nil, StrictGinServerOptions{
		RequestErrorHandlerFunc:  httpkit.RequestError,
		HandlerErrorFunc:         httpkit.HandlerError,
		ResponseErrorHandlerFunc: httpkit.ResponseError,
	})
	RegisterHandlersWithOptions(engine, strict, GinServerOptions{ErrorHandler: httpkit.ParameterError})
	return engine, nil
}

func nobodyIsStaff(*http.Request) (auth.Principal, error) {
	return auth.Principal{}, auth.ErrStaffIssuer
}
