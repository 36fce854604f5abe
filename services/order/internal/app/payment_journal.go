package app

import (
	"context"
	"log/slog"
	"time"

	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/order/internal/payment"
)

// PaymentCollection is the collection of the payment journal; its events are
// published as "order/<shard>/<seq>/<index>".
const (
	PaymentCollection  = "order_journal"
	paymentJournalName = "order"
)

// PaymentJournal keeps the money of all orders.
type PaymentJournal = journal.Journal[*payment.Orders]

// paymentCommand asks for a decision about the money of one order.
type paymentCommand = journal.Command[*payment.Orders]

// OpenPaymentJournal reads the payment journal into memory.
func OpenPaymentJournal(ctx context.Context, store journal.Store, log *slog.Logger) (*PaymentJournal, error) {
	return journal.Open(ctx, paymentJournalConfig(store, time.Now, log), paymentMachine{})
}

func paymentJournalConfig(store journal.Store, now func() time.Time, log *slog.Logger) journal.Config {
	return journal.Config{
		Name: paymentJournalName, Store: store, Now: now, Log: log,
		Subject: payment.Subject, Private: payment.Private,
	}
}

// paymentMachine folds payment facts for the journal.
type paymentMachine struct{}

func (paymentMachine) New() *payment.Orders { return payment.NewOrders() }

func (paymentMachine) Apply(s *payment.Orders, f journal.Fact, m journal.Meta) {
	s.Apply(f, m.DecidedAt)
}

func (paymentMachine) Encode(s *payment.Orders) ([]byte, error) { return s.Encode() }

func (paymentMachine) Decode(data []byte) (*payment.Orders, error) { return payment.DecodeOrders(data) }
