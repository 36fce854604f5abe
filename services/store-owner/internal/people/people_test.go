package people_test

import (
	"reflect"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	orderv1 "github.com/qingcang/qingcang/proto/gen/order/v1"
	ownerv1 "github.com/qingcang/qingcang/proto/gen/owner/v1"
	"github.com/qingcang/qingcang/services/internal/journal"
	"github.com/qingcang/qingcang/services/store-owner/internal/commission"
	"github.com/qingcang/qingcang/services/store-owner/internal/people"
	"github.com/qingcang/qingcang/services/store-owner/internal/share"
)

// life is a bit of everything, early facts and a fee on its way back included.
func life(t *testing.T) []journal.Fact {
	t.Helper()
	facts := []journal.Fact{
		&ownerv1.PersonRegistered{PersonId: "per_1"},
		&ownerv1.MembershipOrdered{MembershipId: "mem_1", PersonId: "per_1", FeeFen: 39_800, ExpiresAt: timestamppb.New(time.Unix(1_800_000_000, 0)), BodyHash: 1 << 63},
		&ownerv1.MembershipOrdered{MembershipId: "mem_2", PersonId: "per_1", FeeFen: 39_800, ExpiresAt: timestamppb.New(time.Unix(1_800_000_000, 0))},
		&ownerv1.MembershipPrepaid{MembershipId: "mem_1", PrepayId: "wx1"},
		&ownerv1.MembershipPaid{MembershipId: "mem_1", PersonId: "per_1", TransactionId: "tx1", FeeFen: 39_800},
		&ownerv1.MembershipFeeReturned{MembershipId: "mem_2", RefundId: "ref_1", TransactionId: "tx2", FeeFen: 39_800},
		&ownerv1.ShareCreated{ShareId: "share_1", OwnerId: "per_1", CampaignUid: "c1", StyleNo: "A1"},
		&orderv1.LineShort{OrderId: "ord_2", OwnerId: "per_1", RefundId: "ref_2", Line: &orderv1.ReversedLine{Sku: "a", OwnerFen: 7}},
		&orderv1.OrderMatured{OrderId: "ord_2", OwnerId: "per_1"},
	}
	paid, err := commission.Paid{OrderID: "ord_1", OwnerID: "per_1", CampaignUID: "c1", Fen: 600}.Decide(nil)
	if err != nil {
		t.Fatal(err)
	}
	return append(facts, paid...)
}

func fold(facts []journal.Fact) *people.State {
	s := people.Machine{}.New()
	for _, f := range facts {
		people.Machine{}.Apply(s, f, journal.Meta{})
	}
	return s
}

func TestASnapshotIsTheWholeState(t *testing.T) {
	before := fold(life(t))
	data, err := people.Machine{}.Encode(before)
	if err != nil {
		t.Fatal(err)
	}
	after, err := people.Machine{}.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(before, after) {
		t.Fatalf("got %+v, want %+v", after, before)
	}
	// And it goes on as the state would have gone on: the early facts of ord_2 count when it is paid.
	paid := commission.Paid{OrderID: "ord_2", OwnerID: "per_1", Fen: 100}
	for _, s := range []*people.State{before, after} {
		facts, err := paid.Decide(s.Wallets["per_1"])
		if err != nil || len(facts) != 3 {
			t.Fatalf("got %d facts, %v; want accrued, reversed and matured", len(facts), err)
		}
	}
	if got := after.Shelves["per_1"].Find(share.What{CampaignUID: "c1", StyleNo: "A1"}); got != "share_1" {
		t.Fatalf("the link is %q", got)
	}
}

func TestAMembershipIsBusyUntilItsMoneyIsWhereItBelongs(t *testing.T) {
	facts := life(t)
	for name, test := range map[string]struct {
		facts []journal.Fact
		want  []string
	}{
		"both wait for money":                 {facts[:4], []string{"mem_1", "mem_2"}},
		"a paid one needs no asking":          {facts[:5], []string{"mem_2"}},
		"a refund is asked for":               {facts[:6], []string{"mem_2"}},
		"a settled refund needs no asking":    {append(facts[:6:6], &ownerv1.MembershipRefundSettled{MembershipId: "mem_2", RefundId: "ref_1"}), nil},
		"a closed membership needs no asking": {append(facts[:5:5], &ownerv1.MembershipClosed{MembershipId: "mem_2"}), nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got := fold(test.facts).BusyMemberships(); !reflect.DeepEqual(got, test.want) {
				t.Fatalf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestEveryFactHasASubjectAndOnlyEarlyOnesAreKept(t *testing.T) {
	for _, f := range life(t) {
		if people.Subject(f) == "" {
			t.Errorf("%T is about nothing", f)
		}
		early := f.ProtoReflect().Descriptor().ParentFile().Package() == "order.v1"
		if people.Private(f) != early {
			t.Errorf("%T: private is %t, want %t", f, people.Private(f), early)
		}
	}
}
