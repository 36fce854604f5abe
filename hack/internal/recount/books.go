package recount

import (
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	moneyv1 "github.com/qingcang/qingcang/proto/gen/money/v1"
)

// book is the balance of each account, debit positive.
type book map[string]int64

// class is the balance of all accounts of a class.
func (b book) class(name string) int64 {
	sum := int64(0)
	for account, fen := range b {
		if classOf(account) == name {
			sum += fen
		}
	}
	return sum
}

func classOf(account string) string {
	class, _, _ := strings.Cut(account, ":")
	return class
}

// owns is the package of the facts that a book's service decides. Journals also keep facts of others
// that came early, whose postings stand in the others' books.
var owns = map[string]protoreflect.FullName{OrderBook: "order.v1", OwnerBook: "owner.v1", BrandBook: "brand.v1"}

// post adds up every posting of every own fact of a journal, whatever the fact is.
func post(r *Result, name string, journal Journal) book {
	b, seen := book{}, map[string]bool{}
	for _, shard := range journal {
		for _, fact := range shard {
			if fact.ProtoReflect().Descriptor().FullName().Parent() != owns[name] {
				continue
			}
			for _, p := range postings(fact) {
				b.add(r, name, p, seen)
			}
		}
	}
	return b
}

func (b book) add(r *Result, name string, p *moneyv1.Posting, seen map[string]bool) {
	sum, moved, classes := int64(0), int64(0), map[string]bool{}
	for _, leg := range p.GetLegs() {
		b[leg.GetAccount()] += leg.GetFen()
		sum += leg.GetFen()
		moved += max(leg.GetFen(), 0)
		classes[classOf(leg.GetAccount())] = true
	}
	if sum != 0 {
		// The sum of absolute sums: two faults must not hide each other.
		r.fault(&r.LedgerSumFen, abs(sum), "%s: the legs of posting %s add up to %d fen", name, p.GetId(), sum)
	}
	if seen[p.GetId()] {
		r.fault(&r.UnexplainedFen, moved, "%s: posting %s was posted twice", name, p.GetId())
	}
	seen[p.GetId()] = true
	if classes["membership_revenue"] && (classes["commission_due"] || classes["commission_pending"] || classes["commission_available"]) {
		r.fault(&r.UnexplainedFen, moved, "%s: posting %s moves the membership fee to a commission account", name, p.GetId())
	}
}

// postings finds all postings in a fact by their type, so that a new kind of fact cannot hide one.
func postings(fact proto.Message) []*moneyv1.Posting {
	var out []*moneyv1.Posting
	take := func(m protoreflect.Message) {
		if p, ok := m.Interface().(*moneyv1.Posting); ok {
			out = append(out, p)
		}
	}
	fact.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.Kind() != protoreflect.MessageKind || field.IsMap():
		case field.IsList():
			for i := range value.List().Len() {
				take(value.List().Get(i).Message())
			}
		default:
			take(value.Message())
		}
		return true
	})
	return out
}

// reconcile compares the books with each other and with what was sold.
func reconcile(r *Result, books map[string]book, due *money) {
	orders, owners, brands := books[OrderBook], books[OwnerBook], books[BrandBook]
	r.MembershipFeeFen = -owners.class("membership_revenue")
	r.CommissionFen = -owners.class("commission_pending") - owners.class("commission_available")
	r.BrandPayableFen = -brands.class("brand_pending") - brands.class("brand_payable")
	r.PlatformFen = -orders.class("platform_revenue")

	// What the order service set aside is what the others hold, account by account.
	differ(r, "owed to the brand by campaign", suffixes(orders, "brand_payable"), suffixes(brands, "brand_pending", "brand_payable"))
	differ(r, "owed to the owner", heads(suffixes(orders, "owner_commission")), suffixes(owners, "commission_pending", "commission_available"))
	// And both are what the sold units, less the returned, come to.
	differ(r, "due to the brand by campaign", suffixes(orders, "brand_payable"), due.brands)
	differ(r, "due to the owner by campaign", suffixes(orders, "owner_commission"), due.owners)
	differ(r, "due to the platform by campaign", suffixes(orders, "platform_revenue"), due.platform)

	r.equal("sales less refunds and their parts", r.SalesFen-r.RefundFen, r.BrandPayableFen+r.CommissionFen+r.PlatformFen)
	r.equal("money for orders at the provider and sales less refunds", orders.class("provider_cash"), r.SalesFen-r.RefundFen)
	r.equal("fees at the provider and the membership revenue", owners.class("provider_cash"), r.MembershipFeeFen)
	for _, name := range sorted(books) {
		for _, clearing := range []string{"payment_in_transit", "refund_in_transit"} {
			r.equal(clearing+" of "+name+" and nothing", books[name].class(clearing), 0)
		}
	}
}

// equal counts a difference of two amounts as unexplained.
func (r *Result) equal(what string, a, b int64) {
	if a != b {
		r.fault(&r.UnexplainedFen, abs(a-b), "%s differ: %d and %d fen", what, a, b)
	}
}

// differ compares balances account by account.
func differ(r *Result, what string, a, b book) {
	both := book{}
	for account := range a {
		both[account] = 0
	}
	for account := range b {
		both[account] = 0
	}
	for _, account := range sorted(both) {
		if a[account] != b[account] {
			r.fault(&r.UnexplainedFen, abs(a[account]-b[account]), "%s: %s is %d in one book and %d in the other", what, account, a[account], b[account])
		}
	}
}

// suffixes adds up what the accounts of some classes hold, by what stands behind the class, as
// positive amounts that are owed.
func suffixes(b book, classes ...string) book {
	out := book{}
	for account, fen := range b {
		class, rest, _ := strings.Cut(account, ":")
		for _, c := range classes {
			if class == c {
				out[rest] -= fen
			}
		}
	}
	return out
}

// heads adds up by the first id.
func heads(b book) book {
	out := book{}
	for account, fen := range b {
		head, _, _ := strings.Cut(account, ":")
		out[head] += fen
	}
	return out
}
