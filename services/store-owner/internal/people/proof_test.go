package people_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/qingcang/qingcang/proto/eventkit"
	journalv1 "github.com/qingcang/qingcang/proto/gen/journal/v1"
	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	"github.com/qingcang/qingcang/services/internal/book"
	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/internal/money"
	"github.com/qingcang/qingcang/services/internal/proof"
	"github.com/qingcang/qingcang/services/store-owner/internal/accounts"
	"github.com/qingcang/qingcang/services/store-owner/internal/commission"
	"github.com/qingcang/qingcang/services/store-owner/internal/membership"
	"github.com/qingcang/qingcang/services/store-owner/internal/people"
)

const person = "per_1"

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// decision is what somebody asks of one person's state.
type decision func(s *people.State) ([]journal.Fact, error)

// books are all postings of a person, added up by an auditor.
type books struct {
	balance map[string]int64
	booked  map[string]bool
}

func newBooks() *books { return &books{balance: map[string]int64{}, booked: map[string]bool{}} }

// add says what is wrong with the book after the fact's postings, or nothing.
func (b *books) add(f journal.Fact) string {
	for _, p := range people.Postings(f) {
		if b.booked[p.GetId()] {
			return "posting " + p.GetId() + " is booked twice"
		}
		b.booked[p.GetId()] = true
		var sum int64
		for _, leg := range p.GetLegs() {
			sum += leg.GetFen()
			b.balance[leg.GetAccount()] += leg.GetFen()
		}
		if sum != 0 {
			return fmt.Sprintf("the legs of %s add up to %d", p.GetId(), sum)
		}
	}
	for account, fen := range b.balance {
		asset := accounts.Table()[book.ClassOf(account)].Nature == book.Asset
		if asset && fen < 0 || !asset && fen > 0 {
			return fmt.Sprintf("%s is at %d", account, fen)
		}
	}
	return ""
}

// TestProofLegsAddUp is row 6 for the books of the membership fee and of the
// commission. A trial is one person's life, everything in it repeated, in any
// order, and with reversals of more than there is, which are to be refused.
func TestProofLegsAddUp(t *testing.T) {
	proof.Random(t, "6", proof.Trials{CI: 20_000, Full: 1_000_000}, func(t *proof.Trial) {
		s, b := people.Machine{}.New(), newBooks()
		for _, decide := range shuffled(t, append(fees(t), earnings(t, 3)...)) {
			facts, err := decide(s)
			if err != nil && !expected(err) {
				t.Fatal(err)
			}
			for _, f := range facts {
				people.Machine{}.Apply(s, f, journal.Meta{})
				if wrong := b.add(f); wrong != "" {
					t.Fatal(wrong)
				}
			}
		}
	})
}

// expected is a refusal that such a life brings with it.
func expected(err error) bool {
	for _, e := range []error{
		commission.ErrMoreThanAccrued, membership.ErrUnknown, membership.ErrAlreadyOwner, membership.ErrTooManyUnpaid,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// fees are attempts to become a store owner, paid in time, twice, or wrong.
func fees(t *proof.Trial) []decision {
	var decisions []decision
	for n := range 1 + t.IntN(3) {
		id := fmt.Sprintf("mem_%d", n)
		decisions = append(decisions, func(s *people.State) ([]journal.Fact, error) {
			return membership.Order{MembershipID: id, PersonID: person, Fee: membership.DefaultFee}.Decide(s.People[person], noon)
		})
		for k := range 1 + t.IntN(3) {
			pay := membership.Payment{MembershipID: id, TransactionID: fmt.Sprintf("tx_%d_%d", n, k), Fen: membership.DefaultFee}
			if t.Chance(4) {
				pay.Fen--
			}
			decisions = append(decisions, func(s *people.State) ([]journal.Fact, error) { return pay.Decide(s.People[person]) },
				func(s *people.State) ([]journal.Fact, error) {
					for _, r := range returns(s, id) {
						return membership.SettleRefund(s.People[person], id, r.RefundID)
					}
					return nil, nil
				})
		}
	}
	return decisions
}

func returns(s *people.State, membershipID string) map[string]*membership.Return {
	if m := s.People[person].Find(membershipID); m != nil {
		return m.Returns
	}
	return nil
}

// earnings are what the order service says of orders that came through the person's links.
func earnings(t *proof.Trial, orders int) []decision {
	events := orderEvents(t, orders)
	if t.Chance(3) { // the order service never says this
		line := &orderv1.ReversedLine{Sku: "x", OwnerFen: t.Int64N(3_000)}
		events = append(events, &orderv1.LineShort{OrderId: "ord_0", OwnerId: person, RefundId: "ref_x", Line: line})
	}
	var decisions []decision
	for _, e := range events {
		decisions = append(decisions, func(s *people.State) ([]journal.Fact, error) { return hear(s.Wallets[person], e) })
	}
	return decisions
}

// orderEvents are the events of some orders: each is paid, partly taken back, and matures.
func orderEvents(t *proof.Trial, orders int) []proto.Message {
	var events []proto.Message
	for n := range orders {
		id := fmt.Sprintf("ord_%d", n)
		paid := &orderv1.OrderPaid{OrderId: id, OwnerId: person, CampaignUid: "c1"}
		events = append(events, paid, &orderv1.OrderMatured{OrderId: id, OwnerId: person})
		for k := range 1 + t.IntN(3) {
			sku, fen := string(rune('a'+k)), t.Int64N(1_000)
			paid.Lines = append(paid.Lines, &orderv1.PaidLine{Sku: sku, OwnerFen: fen})
			line := &orderv1.ReversedLine{Sku: sku, OwnerFen: t.Int64N(fen + 1)}
			if t.Chance(2) {
				events = append(events, &orderv1.LineShort{OrderId: id, OwnerId: person, RefundId: "ref_" + id, Line: line})
			} else {
				events = append(events, &orderv1.LineReturned{OrderId: id, OwnerId: person, RefundId: "ref_" + id + sku, Line: line})
			}
		}
	}
	return events
}

func hear(w *commission.Wallet, event proto.Message) ([]journal.Fact, error) {
	switch e := event.(type) {
	case *orderv1.OrderPaid:
		return commission.PaidOf(e).Decide(w)
	case *orderv1.LineShort:
		return commission.Short(e).Decide(w)
	case *orderv1.LineReturned:
		return commission.Returned(e).Decide(w)
	case *orderv1.OrderMatured:
		return commission.MaturityOf(e).Decide(w)
	default:
		return nil, fmt.Errorf("nobody hears a %T", event)
	}
}

// shuffled repeats half of what there is, and mixes all of it.
func shuffled[T any](t *proof.Trial, all []T) []T {
	for _, one := range all {
		if t.Chance(2) {
			all = append(all, one)
		}
	}
	t.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// forgetful loses every fifth acknowledgement: the batch is there, and the reply is not.
type forgetful struct {
	journal.Store
	insertions atomic.Int64
}

var errLost = errors.New("the acknowledgement was lost")

func (f *forgetful) Insert(ctx context.Context, shard int, seq uint64, b *journalv1.Batch) error {
	err := f.Store.Insert(ctx, shard, seq, b)
	if f.insertions.Add(1)%5 == 0 {
		return errLost
	}
	return err
}

// TestProofNoCommissionTwice is row 4 for commissions, over the real journal:
// every fifth acknowledgement is lost, each event is delivered three times, to two
// replicas at once and to a third that starts later, one half of the time without
// its position, so that the decisions have to know by themselves what is old.
func TestProofNoCommissionTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the pauses of those who lose a race take no time
		proof.Random(t, "4", proof.Trials{CI: 5_000, Full: 100_000}, func(t *proof.Trial) {
			store := &forgetful{Store: journal.NewMemoryStore()}
			events := orderEvents(t, 2)
			a, stopA := replica(t, store)
			b, stopB := replica(t, store)
			var deliveries sync.WaitGroup
			for _, j := range []*journal.Journal[*people.State]{a, b} {
				commands := deliver(events, t.Chance(2))
				deliveries.Go(func() { hearAll(t, j, commands) })
			}
			deliveries.Wait()
			stopA()
			stopB()
			c, _ := replica(t, store)
			hearAll(t, c, deliver(events, t.Chance(2)))
			judge(t, c, store, events)
		})
	})
}

func replica(t *proof.Trial, store journal.Store) (j *journal.Journal[*people.State], stop func()) {
	j, err := journal.Open(context.Background(), journal.Config{
		Name: "owner", Store: store, Subject: people.Subject, Private: people.Private, SnapshotEvery: 4,
	}, people.Machine{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := j.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return j, stop
}

// deliver makes the commands of the events, in their order in the topic.
func deliver(events []proto.Message, positions bool) []journal.Command[*people.State] {
	var commands []journal.Command[*people.State]
	for n, e := range events {
		c := journal.Command[*people.State]{
			Key: people.Subject(e), Route: person,
			Decide: func(s *people.State, _ time.Time) ([]journal.Fact, error) { return hear(s.Wallets[person], e) },
		}
		if positions {
			c.Heard = &eventkit.Position{Source: "order/3", Seq: uint64(n)}
		}
		commands = append(commands, c)
	}
	return commands
}

func hearAll(t *proof.Trial, j *journal.Journal[*people.State], commands []journal.Command[*people.State]) {
	for range 10 { // who gets no answer asks again
		if err := j.Hear(context.Background(), commands); err == nil {
			return
		}
	}
	t.Error("ten times no answer")
}

// judge adds up what the journal says, and compares it with the events and with the wallet.
func judge(t *proof.Trial, j *journal.Journal[*people.State], store journal.Store, events []proto.Message) {
	b := newBooks()
	err := store.Range(context.Background(), journal.ShardOf(person), 1, func(_ uint64, batch *journalv1.Batch) error {
		for _, e := range batch.GetEvents() {
			f, err := eventkit.Event{Type: e.GetType(), Data: e.GetData()}.Decode()
			if err != nil {
				return err
			}
			if wrong := b.add(f); wrong != "" {
				return errors.New(wrong)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var want money.Fen
	for _, event := range events {
		switch e := event.(type) {
		case *orderv1.OrderPaid:
			want += commission.PaidOf(e).Fen
		case *orderv1.LineShort:
			want -= commission.Short(e).Fen
		case *orderv1.LineReturned:
			want -= commission.Returned(e).Fen
		}
	}
	var available, pending money.Fen
	err = j.View(context.Background(), person, func(s *people.State) {
		available, pending = s.Wallets[person].Available, s.Wallets[person].Pending()
	})
	if booked := money.Fen(-b.balance["commission_available:"+person]); err != nil || available != want || booked != want || pending != 0 {
		t.Fatalf("%s is available, %s in the book, %s pending; want %s and nothing: %v", available, booked, pending, want, err)
	}
}
