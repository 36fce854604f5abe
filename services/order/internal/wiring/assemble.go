package wiring

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/qingcang/qingcang/proto/eventkit"
	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/internal/run"
	"github.com/qingcang/qingcang/services/order/internal/app"
	"github.com/qingcang/qingcang/services/order/internal/eventin"
	"github.com/qingcang/qingcang/services/order/internal/httpapi"
	"github.com/qingcang/qingcang/services/order/internal/lane"
)

// Outside is what the service reaches beyond its process.
type Outside struct {
	Kafka *eventkit.Conn
	// Payments keeps the payment journal, Snapshots the states of the shared lanes, Dedicated those of the others.
	Payments  journal.Store
	Snapshots lane.Snapshots
	Dedicated lane.DedicatedSnapshots
	// Provider takes and returns money.
	Provider Provider
	// Bills has the provider's daily bills; nil compares none.
	Bills app.Biller
	// Buyers verify buyer tokens, Shares share links.
	Buyers, Shares *auth.Keys
	// Staff verifies the tokens of staff; nil lets nobody in.
	Staff func(*http.Request) (auth.Principal, error)
	// Lane is the campaign whose dedicated lane alone is run; empty runs everything.
	Lane string
	// LaneRules asks for a switch of every lane to these rules; 0 asks for none.
	LaneRules uint16
	// SnapshotEvery is the number of entries between two snapshots of a lane; 0 leaves it to the lanes.
	SnapshotEvery int64
	// DatabaseReady is the readiness check of what keeps Payments and Snapshots.
	DatabaseReady func(*http.Request) error
}

// Service is the whole service but for its listener.
type Service struct {
	Handler http.Handler
	Lanes   *lane.Lanes

	money     *app.PaymentJournal
	campaigns *lane.Campaigns
	conn      *eventkit.Conn
	roles     map[string]eventkit.Role // none where a single lane is run
	log       *slog.Logger
}

// Assemble reads the payment journal and puts the parts together; Start starts them.
func Assemble(ctx context.Context, o Outside, log *slog.Logger) (*Service, error) {
	money, err := app.OpenPaymentJournal(ctx, o.Payments, log)
	if err != nil {
		return nil, err
	}
	campaigns := lane.NewCampaigns(o.Kafka, log)
	lanes, err := lane.New(lane.Config{
		Conn: o.Kafka, Campaigns: campaigns, Snapshots: o.Snapshots, Dedicated: o.Dedicated, Log: log,
		Only: o.Lane, Rules: o.LaneRules, SnapshotEvery: o.SnapshotEvery,
		Alongside: tellStatus(app.NewCampaignStatus(money, o.Kafka, log)),
	})
	if err != nil {
		return nil, err
	}
	orders := app.NewOrders(lanes, app.NewMoneyOfOrders(money), o.Shares)
	payments := newPayments(money, lanes, o.Provider, log)
	bills, err := app.NewBills(app.BillsConfig{Journal: money, Biller: o.Bills, Asker: payments, Log: log})
	if err != nil {
		return nil, err
	}
	handler, err := httpapi.New(orders, httpapi.NewPayments(payments, o.Provider, payments, o.Buyers), httpapi.NewFinance(payments, bills), httpapi.Door{
		Buyers: o.Buyers, Staff: o.Staff, Log: log,
		Probes: run.Probes(map[string]func(*http.Request) error{
			"mongodb":   o.DatabaseReady,
			"kafka":     func(r *http.Request) error { return o.Kafka.Ping(r.Context()) },
			"campaigns": campaigns.Ready,
			"lanes":     lanes.Ready,
		}),
	})
	if err != nil {
		return nil, err
	}
	service := &Service{Handler: handler, Lanes: lanes, money: money, campaigns: campaigns, conn: o.Kafka, log: log}
	if o.Lane != "" { // the shared pool does the rest
		return service, nil
	}
	work := payments.Work
	if o.Bills != nil {
		work = alsoBills(work, bills)
	}
	service.roles = paymentRoles(money, work, o.Kafka, log)
	service.roles[eventin.BrandEvents] = eventin.Allocations(lanes, log)
	service.roles[lane.SharedTopic] = lanes.Publisher()
	return service, nil
}

// Start makes everything but the HTTP server a part of the group.
func (s *Service) Start(group *run.Group) {
	group.Go("journal", s.money.Run)
	group.Go("campaigns", s.campaigns.Run)
	group.Go("lanes", s.Lanes.Run)
	if s.roles == nil {
		return
	}
	group.Go("events", func(ctx context.Context) error {
		return s.conn.Consume(ctx, eventkit.Group{ID: httpapi.Service, Topics: s.roles, Log: s.log})
	})
}
