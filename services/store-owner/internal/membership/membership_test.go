package membership_test

import (
	"errors"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	moneyv1 "github.com/qingcang/qingcang/proto/gen/money/v1"
	ownerv1 "github.com/qingcang/qingcang/proto/gen/owner/v1"
	"github.com/qingcang/qingcang/services/internal/book"
	"github.com/qingcang/qingcang/services/internal/money"
	"github.com/qingcang/qingcang/services/store-owner/internal/membership"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const late = membership.PayWithin + time.Second

// person has what the facts of these steps made of them.
func person(steps ...membership.Fact) *membership.Person {
	p := membership.NewPerson("per_1")
	for _, f := range steps {
		p.Apply(f)
	}
	return p
}

func ordered(id string) membership.Fact {
	return &ownerv1.MembershipOrdered{
		MembershipId: id, PersonId: "per_1", FeeFen: int64(membership.DefaultFee),
		ExpiresAt: timestamppb.New(noon.Add(membership.PayWithin)), BodyHash: 7,
	}
}

func paid(id, transaction string) membership.Fact {
	return &ownerv1.MembershipPaid{MembershipId: id, PersonId: "per_1", TransactionId: transaction, FeeFen: int64(membership.DefaultFee)}
}

func closed(id string) membership.Fact { return &ownerv1.MembershipClosed{MembershipId: id} }

func TestOrderingAMembership(t *testing.T) {
	for name, test := range map[string]struct {
		person *membership.Person
		order  membership.Order
		at     time.Time
		facts  int
		want   error
	}{
		"a person of whom nothing is known may order": {
			order: membership.Order{MembershipID: "mem_1"}, facts: 1,
		},
		"a repeat does nothing": {
			person: person(ordered("mem_1")), order: membership.Order{MembershipID: "mem_1", BodyHash: 7},
		},
		"a repeat with another body is refused": {
			person: person(ordered("mem_1")), order: membership.Order{MembershipID: "mem_1", BodyHash: 8}, want: membership.ErrKeyReused,
		},
		"a repeat after the payment does nothing": {
			person: person(ordered("mem_1"), paid("mem_1", "tx1")), order: membership.Order{MembershipID: "mem_1", BodyHash: 7},
		},
		"the fee that was shown is taken": {
			order: membership.Order{MembershipID: "mem_1", Shown: fen(39_800)}, facts: 1,
		},
		"another fee than was shown is refused": {
			order: membership.Order{MembershipID: "mem_1", Shown: fen(1)}, want: membership.ErrFeeDiffers,
		},
		"a store owner has nothing to order": {
			person: person(ordered("mem_1"), paid("mem_1", "tx1")), order: membership.Order{MembershipID: "mem_2"}, want: membership.ErrAlreadyOwner,
		},
		"a fourth unpaid membership is refused": {
			person: person(ordered("mem_1"), ordered("mem_2"), ordered("mem_3")), order: membership.Order{MembershipID: "mem_4"}, want: membership.ErrTooManyUnpaid,
		},
		"an expired membership is not in the way": {
			person: person(ordered("mem_1"), ordered("mem_2"), ordered("mem_3")), order: membership.Order{MembershipID: "mem_4"}, at: noon.Add(late), facts: 1,
		},
		"a closed membership is not in the way": {
			person: person(ordered("mem_1"), ordered("mem_2"), ordered("mem_3"), closed("mem_2")), order: membership.Order{MembershipID: "mem_4"}, facts: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if test.at.IsZero() {
				test.at = noon
			}
			test.order.Fee = membership.DefaultFee
			facts, err := test.order.Decide(test.person, test.at)
			if !errors.Is(err, test.want) || len(facts) != test.facts {
				t.Fatalf("got %v and %d facts, want %v and %d", err, len(facts), test.want, test.facts)
			}
		})
	}
}

func fen(n money.Fen) *money.Fen { return &n }

func TestAMembershipKeepsTheFeeThatItWasOrderedAt(t *testing.T) {
	p := person()
	order := func(id string, fee money.Fen) {
		t.Helper()
		facts, err := membership.Order{MembershipID: id, PersonID: p.ID, Fee: fee}.Decide(p, noon)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range facts {
			p.Apply(f)
		}
	}
	order("mem_1", 39_800)
	order("mem_2", 29_800)
	order("mem_1", 29_800) // a repeat
	for id, want := range map[string]money.Fen{"mem_1": 39_800, "mem_2": 29_800} {
		if got := p.Find(id).Fee; got != want {
			t.Errorf("%s costs %d, want %d", id, got, want)
		}
	}
	facts, err := membership.Payment{"mem_1", "tx1", 39_800}.Decide(p)
	if err != nil || len(facts) != 1 {
		t.Fatalf("got %v and %v", facts, err)
	}
	if _, kept := facts[0].(*ownerv1.MembershipPaid); !kept {
		t.Errorf("the fee of before became %v", facts[0])
	}
}

func TestAMembershipForNothing(t *testing.T) {
	p := person()
	facts, err := membership.Order{MembershipID: "mem_1", PersonID: p.ID, Shown: fen(0)}.Decide(p, noon)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range facts {
		if paid, ok := f.(*ownerv1.MembershipPaid); ok && len(paid.GetPostings()) > 0 {
			t.Errorf("it moved money: %v", paid)
		}
		p.Apply(f)
	}
	if m := p.Find("mem_1"); !p.Owner() || m.StateAt(noon) != membership.Paid || m.Busy() {
		t.Errorf("got %+v of %+v, want a paid one of an owner", m, p)
	}
	if _, err := (membership.Order{MembershipID: "mem_2", PersonID: p.ID, Shown: fen(0), Fee: 100}).Decide(person(), noon); !errors.Is(err, membership.ErrFeeDiffers) {
		t.Errorf("one that was shown for nothing and costs something: %v", err)
	}
}

func TestPayingTheFee(t *testing.T) {
	const fee = membership.DefaultFee
	for name, test := range map[string]struct {
		person  *membership.Person
		payment membership.Payment
		owner   string
		reason  string // why money goes back, if it does
		want    error
	}{
		"the fee makes a store owner": {
			person: person(ordered("mem_1")), payment: membership.Payment{"mem_1", "tx1", fee}, owner: "mem_1",
		},
		"the same payment twice changes nothing": {
			person: person(ordered("mem_1"), paid("mem_1", "tx1")), payment: membership.Payment{"mem_1", "tx1", fee}, owner: "mem_1",
		},
		"a second payment of a membership goes back": {
			person: person(ordered("mem_1"), paid("mem_1", "tx1")), payment: membership.Payment{"mem_1", "tx2", fee}, owner: "mem_1", reason: "second_payment",
		},
		"a second membership's payment goes back": {
			person: person(ordered("mem_1"), ordered("mem_2"), paid("mem_1", "tx1")), payment: membership.Payment{"mem_2", "tx2", fee}, owner: "mem_1", reason: "already_owner",
		},
		"less than the fee goes back": {
			person: person(ordered("mem_1")), payment: membership.Payment{"mem_1", "tx1", fee - 1}, reason: "amount_differs",
		},
		"more than the fee goes back": {
			person: person(ordered("mem_1")), payment: membership.Payment{"mem_1", "tx1", fee + 1}, reason: "amount_differs",
		},
		"money that came after the provider closed still counts": {
			person: person(ordered("mem_1"), closed("mem_1")), payment: membership.Payment{"mem_1", "tx1", fee}, owner: "mem_1",
		},
		"money for a membership that nobody ordered is refused": {
			person: person(), payment: membership.Payment{"mem_1", "tx1", fee}, want: membership.ErrUnknown,
		},
	} {
		t.Run(name, func(t *testing.T) {
			facts, err := test.payment.Decide(test.person)
			if !errors.Is(err, test.want) {
				t.Fatalf("got %v, want %v", err, test.want)
			}
			reason := ""
			for _, f := range facts {
				test.person.Apply(f)
				if returned, ok := f.(*ownerv1.MembershipFeeReturned); ok {
					reason = returned.GetReason()
				}
			}
			if test.person.OwnerBy != test.owner || reason != test.reason {
				t.Fatalf("owner by %q, returned for %q; want %q and %q", test.person.OwnerBy, reason, test.owner, test.reason)
			}
		})
	}
}

func TestTheStateThatABuyerSees(t *testing.T) {
	returned := &ownerv1.MembershipFeeReturned{MembershipId: "mem_1", RefundId: "ref_1", TransactionId: "tx1", FeeFen: 1}
	prepaid := &ownerv1.MembershipPrepaid{MembershipId: "mem_1", PrepayId: "wx1"}
	for name, test := range map[string]struct {
		person *membership.Person
		after  time.Duration
		want   membership.State
	}{
		"ordered before the provider answered": {person(ordered("mem_1")), 0, membership.Ordered},
		"prepaid after it":                     {person(ordered("mem_1"), prepaid), 0, membership.Prepaid},
		"prepaid to the last moment":           {person(ordered("mem_1"), prepaid), membership.PayWithin - 1, membership.Prepaid},
		"expired at its deadline":              {person(ordered("mem_1"), prepaid), membership.PayWithin, membership.Expired},
		"expired when it was closed":           {person(ordered("mem_1"), closed("mem_1")), 0, membership.Expired},
		"paid for ever":                        {person(ordered("mem_1"), paid("mem_1", "tx1")), late, membership.Paid},
		"returned when the amount differed":    {person(ordered("mem_1"), returned), 0, membership.Returned},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.person.Find("mem_1").StateAt(noon.Add(test.after)); got != test.want {
				t.Fatalf("got %s, want %s", got, test.want)
			}
		})
	}
}

// Whatever the provider says in whatever order and however often: one fee at most is kept, all
// other money goes back, every posting is balanced, and the clearing accounts come to zero.
func TestOneFeeIsKeptAndAllOtherMoneyGoesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, balances, came := membership.NewPerson("per_1"), book.Balances{}, map[string]money.Fen{}
		apply := func(facts []membership.Fact, err error) {
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range facts {
				p.Apply(f)
				if posted, ok := f.(interface{ GetPostings() []*moneyv1.Posting }); ok {
					for _, posting := range posted.GetPostings() {
						if err := balances.Apply(posting); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
		}
		memberships := []string{"mem_1", "mem_2", "mem_3"}
		for _, id := range memberships {
			apply(membership.Order{MembershipID: id, PersonID: p.ID, Fee: membership.DefaultFee}.Decide(p, noon))
		}
		for range rapid.IntRange(0, 20).Draw(t, "messages") {
			id := rapid.SampledFrom(memberships).Draw(t, "membership")
			transaction := id + rapid.SampledFrom([]string{"a", "b"}).Draw(t, "transaction")
			fen, known := came[transaction]
			if !known {
				fen = rapid.SampledFrom([]money.Fen{membership.DefaultFee, membership.DefaultFee - 1, 1}).Draw(t, "fen")
			}
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0:
				apply(membership.Close(p, id))
			default:
				came[transaction] = fen
				apply(membership.Payment{MembershipID: id, TransactionID: transaction, Fen: fen}.Decide(p))
			}
		}
		for _, id := range memberships {
			for _, r := range p.Find(id).Returns {
				apply(membership.SettleRefund(p, id, r.RefundID))
				apply(membership.SettleRefund(p, id, r.RefundID)) // the provider says it twice
			}
		}
		kept := money.Fen(0)
		if p.Owner() {
			kept = membership.DefaultFee
		}
		if balances.Of("provider_cash") != kept || balances.Of("membership_revenue") != -kept || balances.Sum() != 0 {
			t.Fatalf("kept %d, but the book says %v", kept, balances)
		}
		if open := membership.Accounts().InTransit(balances); len(open) != 0 {
			t.Fatalf("money is still on its way: %v", open)
		}
	})
}
