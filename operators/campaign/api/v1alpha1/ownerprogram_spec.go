package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// OwnerProgramSpec is the programme that operations want.
//
// ---
// Each refusal begins with the rule's name, which tests, pages and people quote, and names the article.
//
// +kubebuilder:validation:XValidation:rule="self.depth != 2 || has(self.signOff)",fieldPath=".depth",message="DepthNeedsSignOff (禁止传销条例, article 7 (3)): at depth 2 an owner earns on sales of owners whom he brought, which only a dated legal sign-off can carry: set depth to 1, or give signOff"
// +kubebuilder:validation:XValidation:rule="self.depth > 1 || self.ranks.all(r, r.secondLevelBps == 0)",fieldPath=".ranks",message="NoUplinePay (禁止传销条例, article 7 (3)): secondLevelBps pays an owner for sales of those whom he brought, and this programme has depth 1: set secondLevelBps to 0"
type OwnerProgramSpec struct {
	// Title is what owners see, one line of 1 to 120 characters, for example
	// "Store owner".
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=120
	// +kubebuilder:validation:XValidation:rule="!self.matches('[[:cntrl:]]')",message="title must be one line: take line breaks and control characters out"
	Title string `json:"title"`

	// FeeFen is what the membership costs, once, in fen, 0 to 1,000,000: 39800,
	// the default, is ¥398; 0 is a membership for nothing. It buys membership
	// benefits, and no part of it can become anybody's commission (NoPayFromFee).
	// A change holds for memberships ordered from then on.
	//
	// +optional
	// +kubebuilder:default=39800
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000000
	FeeFen int64 `json:"feeFen"`

	// FeeReturnWindow is how long a member may have the fee back without a reason,
	// 168h (the seven days of 消费者权益保护法, article 25, and the default) to 8760h.
	// Less is refused (FeeIsRefundable). store-owner does not obey it yet.
	//
	// +optional
	// +kubebuilder:default="168h"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=20
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$') && self != '' && duration(self) <= duration('8760h')",message="feeReturnWindow must be 168h to 8760h in whole hours, minutes and seconds: write seven days as 168h"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$') || self == '' || duration(self) >= duration('168h')",message="FeeIsRefundable (消费者权益保护法, article 25): a member may have the fee back without a reason for seven days: set feeReturnWindow to 168h or more"
	FeeReturnWindow metav1.Duration `json:"feeReturnWindow,omitzero"`

	// FeeGrants is what the fee buys. Benefits, the default, is all that it can
	// buy, and it must buy them. RightToRecruit and Rank are forbidden by
	// NoEntryFee (禁止传销条例, article 7 (2)) and known here so that the refusal can
	// name the rule.
	//
	// +optional
	// +kubebuilder:default={Benefits}
	// +listType=set
	// +kubebuilder:validation:MaxItems=3
	// +kubebuilder:validation:XValidation:rule="!('RightToRecruit' in self)",message="NoEntryFee (禁止传销条例, article 7 (2)): a fee cannot buy the right to bring others in: take RightToRecruit out"
	// +kubebuilder:validation:XValidation:rule="!('Rank' in self)",message="NoEntryFee (禁止传销条例, article 7 (2)): a fee cannot buy a rank, which comes from one's own sales and service: take Rank out"
	// +kubebuilder:validation:XValidation:rule="'Benefits' in self",message="NoEntryFee (禁止传销条例, article 7 (2)): a fee that buys no benefits is an entry fee: put Benefits in, or leave feeGrants out"
	FeeGrants []FeeGrant `json:"feeGrants,omitempty"`

	// Ranks are what owners can be, by ascending requirement, 1 to 10. The first
	// asks for nothing: it is what everybody is who joins. store-owner does not
	// obey them yet: the owner whose link it was gets the whole commission.
	//
	// +required
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=10
	// +kubebuilder:validation:XValidation:rule="self[0].minOwnSalesFen == 0 && self[0].minServiceScoreTenths == 0",message="the first rank must ask for nothing, because it is what everybody is who joins: set its minOwnSalesFen and minServiceScoreTenths to 0"
	// +kubebuilder:validation:XValidation:rule="self.all(n, r, n == 0 || (r.minOwnSalesFen >= self[n-1].minOwnSalesFen && r.minServiceScoreTenths >= self[n-1].minServiceScoreTenths && (r.minOwnSalesFen > self[n-1].minOwnSalesFen || r.minServiceScoreTenths > self[n-1].minServiceScoreTenths)))",message="each rank must ask for more than the one before it, in minOwnSalesFen or minServiceScoreTenths, and for less in neither: put the ranks in ascending order"
	// +kubebuilder:validation:XValidation:rule="self.all(n, r, n == 0 || r.rateBps >= self[n-1].rateBps)",message="a rank must not pay less than the one before it, else owners lose by selling more: raise its rateBps"
	Ranks []Rank `json:"ranks"`

	// Depth is how many owners share the commission of one sale: 1, the default,
	// is the owner whose link it was; 2 is also the owner who brought him, which
	// needs signOff (DepthNeedsSignOff): a firm in Chongqing was fined for merely
	// setting two levels up. 3 or more is refused (NoUplinePay, 禁止传销条例, article
	// 7 (3)). store-owner pays one, whatever stands here.
	//
	// +optional
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:XValidation:rule="self <= 2",message="NoUplinePay (禁止传销条例, article 7 (3)): three or more levels that earn on one sale are pay by downline sales: set depth to 1, or to 2 with a signOff"
	Depth int32 `json:"depth"`

	// SignOff is the legal department's consent to depth 2. Without it depth is 1.
	//
	// +optional
	SignOff *SignOff `json:"signOff,omitempty"`

	// Rewards are forbidden, and left out. One kind of pay is left: an owner's
	// share of sales over links of one's own, which ranks and campaigns say. The
	// list is here so that the ladders of other programmes, "90 recruits: ¥500 a
	// month" among them, are refused by the name of the rule that they break:
	// NoPayForRecruiting, NoPayFromFee or NoUplinePay (禁止传销条例, article 7 (1) to
	// (3)).
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=20
	Rewards []Reward `json:"rewards,omitempty"`

	// Freeze is how long commission waits, after the sale's return window, until
	// it can be withdrawn, 0s (the default) to 2160h, for example 24h. store-owner
	// does not obey it yet.
	//
	// +optional
	// +kubebuilder:default="0s"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=20
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$') && self != '' && duration(self) <= duration('2160h')",message="freeze must be 0s to 2160h in whole hours, minutes and seconds, for example 24h"
	Freeze metav1.Duration `json:"freeze,omitempty"`

	// ReturnWindow is the least return window of the goods that owners of this
	// programme sell, 168h (the seven days of 消费者权益保护法, article 25, and the
	// default) to 8760h. Less is refused (SevenDayReturn). Commission counts as
	// earned after the window of its sale. A Campaign of the same namespace with a
	// shorter one is refused with WindowTooShort.
	//
	// +optional
	// +kubebuilder:default="168h"
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:MaxLength=20
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$') && self != '' && duration(self) <= duration('8760h')",message="returnWindow must be 168h to 8760h in whole hours, minutes and seconds: write seven days as 168h"
	// +kubebuilder:validation:XValidation:rule="!self.matches('^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$') || self == '' || duration(self) >= duration('168h')",message="SevenDayReturn (消费者权益保护法, article 25): a buyer may send goods back without a reason for seven days, clearance goods too: set returnWindow to 168h or more"
	ReturnWindow metav1.Duration `json:"returnWindow,omitzero"`

	// Withdrawal says how owners take their money out. store-owner does not obey
	// it yet.
	//
	// +optional
	// +kubebuilder:default={}
	Withdrawal WithdrawalRules `json:"withdrawal,omitzero"`
}

// FeeGrant is something that a fee buys.
//
// +kubebuilder:validation:Enum=Benefits;RightToRecruit;Rank
type FeeGrant string

// What fees buy. All but the first are refused.
const (
	// FeeGrantsBenefits: the benefits of the membership.
	FeeGrantsBenefits FeeGrant = "Benefits"
	// FeeGrantsRightToRecruit is forbidden: NoEntryFee.
	FeeGrantsRightToRecruit FeeGrant = "RightToRecruit"
	// FeeGrantsRank is forbidden: NoEntryFee.
	FeeGrantsRank FeeGrant = "Rank"
)

// Rank is what an owner is by own sales and service, never by others whom he
// brought.
//
// +kubebuilder:validation:XValidation:rule="self.minOwnSalesFen == 0 || !has(self.qualifyBy) || 'OwnSales' in self.qualifyBy",fieldPath=".qualifyBy",message="a rank with minOwnSalesFen comes from own sales: put OwnSales into qualifyBy, or set minOwnSalesFen to 0"
// +kubebuilder:validation:XValidation:rule="self.minServiceScoreTenths == 0 || !has(self.qualifyBy) || 'Service' in self.qualifyBy",fieldPath=".qualifyBy",message="a rank with minServiceScoreTenths comes from service: put Service into qualifyBy, or set minServiceScoreTenths to 0"
// +kubebuilder:validation:XValidation:rule="self.rateBps + self.secondLevelBps <= 10000",fieldPath=".secondLevelBps",message="rateBps and secondLevelBps together must not be over 10000, the whole commission: lower one of them"
type Rank struct {
	// Name of the rank, for example mentor: 1 to 40 lower case letters, digits and
	// -, with a letter or digit at both ends.
	//
	// +required
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:XValidation:rule="self.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?$')",message="a rank's name must be lower case letters, digits and -, with a letter or digit at both ends: for example mentor"
	Name string `json:"name"`

	// MinOwnSalesFen is what the owner's own links must have sold in the last 90
	// days, in fen, 0 to 100,000,000,000, for example 5000000 for ¥50,000. 0, the
	// default, asks for nothing.
	//
	// +optional
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100000000000
	MinOwnSalesFen int64 `json:"minOwnSalesFen"`

	// MinServiceScoreTenths is the least mean of what buyers gave the owner, in
	// tenths of a point, 0 to 50, for example 45 for 4.5 of 5. 0, the default,
	// asks for nothing.
	//
	// +optional
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=50
	MinServiceScoreTenths int32 `json:"minServiceScoreTenths"`

	// QualifyBy is where the rank comes from. OwnSales and Service, together the
	// default, are all that it can come from, and what minOwnSalesFen or
	// minServiceScoreTenths asks for must be named. HeadCount and TeamSales are
	// forbidden (NoHeadCountRank, NoTeamSalesRank: 禁止传销条例, article 7 (1) and (3))
	// and known here so that the refusal can name the rule.
	//
	// +optional
	// +kubebuilder:default={OwnSales,Service}
	// +listType=set
	// +kubebuilder:validation:MaxItems=4
	// +kubebuilder:validation:XValidation:rule="!('HeadCount' in self)",message="NoHeadCountRank (禁止传销条例, article 7 (1)): a rank cannot come from the number of people that somebody brought: take HeadCount out"
	// +kubebuilder:validation:XValidation:rule="!('TeamSales' in self)",message="NoTeamSalesRank (禁止传销条例, article 7 (3)): a rank cannot come from what others sell whom somebody brought: take TeamSales out"
	QualifyBy []Qualification `json:"qualifyBy,omitempty"`

	// RateBps is the part of a campaign's commission that an owner of this rank
	// gets for a sale over a link of his own, in basis points, 0 to 10,000: with
	// 3000, and a campaign's commissionBps of 1000, he gets ¥1.80 of a sale of
	// ¥60.
	//
	// +required
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000
	RateBps int32 `json:"rateBps"`

	// SecondLevelBps is the part of the commission of a sale by an owner of this
	// rank that goes to the owner who brought him, whatever his own rank, in basis
	// points, 0 (the default) to 5,000, for example 1000 for 10%. It needs depth 2
	// (NoUplinePay, 禁止传销条例, article 7 (3)).
	//
	// +optional
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=5000
	SecondLevelBps int32 `json:"secondLevelBps"`
}

// Qualification is something that a rank comes from.
//
// +kubebuilder:validation:Enum=OwnSales;Service;HeadCount;TeamSales
type Qualification string

// What ranks come from. The last two are refused.
const (
	// ByOwnSales: sales over the owner's own links.
	ByOwnSales Qualification = "OwnSales"
	// ByService: what buyers said of the owner.
	ByService Qualification = "Service"
	// ByHeadCount is forbidden: NoHeadCountRank.
	ByHeadCount Qualification = "HeadCount"
	// ByTeamSales is forbidden: NoTeamSalesRank.
	ByTeamSales Qualification = "TeamSales"
)

// SignOff is the legal department's consent to a commission of two levels, as
// it was filed.
type SignOff struct {
	// By is who signed, for example "Legal department, Wang L.", 1 to 120
	// characters.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=120
	By string `json:"by"`

	// Reference is the number under which it was filed, for example LEG-2026-0417,
	// 1 to 120 characters.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=120
	Reference string `json:"reference"`

	// Date is the day in Asia/Shanghai on which it was signed, for example
	// 2026-10-12. At depth 2, until that day has come, the programme is not
	// published (SignOffNotYet).
	//
	// +required
	// +kubebuilder:validation:MaxLength=10
	// +kubebuilder:validation:XValidation:rule="self.matches('^20[0-9]{2}-[0-9]{2}-[0-9]{2}$') && timestamp(self + 'T00:00:00Z') >= timestamp('2005-11-01T00:00:00Z')",message="signOff.date must be a day of the calendar and not before 2005-11-01, when 禁止传销条例 came into force: write the day of the signature, for example 2026-10-12"
	Date string `json:"date"`

	// DocumentSHA256 is the checksum of the signed document, so that it can be
	// told from any other: 64 lower case hexadecimal digits, as sha256sum prints
	// them.
	//
	// +required
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^[0-9a-f]{64}$')",message="signOff.documentSHA256 must be 64 lower case hexadecimal digits, as `sha256sum FILE` prints them"
	DocumentSHA256 string `json:"documentSHA256"`
}

// Reward is pay beside the commission of own sales. Each kind is refused.
//
// +kubebuilder:validation:XValidation:rule="self.for != 'Recruit'",fieldPath=".for",message="NoPayForRecruiting (禁止传销条例, article 7 (1)): nobody can be paid for people whom he brought, by number or by head: take this reward out"
// +kubebuilder:validation:XValidation:rule="self.for != 'Fee'",fieldPath=".for",message="NoPayFromFee (禁止传销条例, article 7 (2)): no part of a membership fee can become commission: take this reward out"
// +kubebuilder:validation:XValidation:rule="self.for != 'TeamSales'",fieldPath=".for",message="NoUplinePay (禁止传销条例, article 7 (3)): nobody can be paid by what others sell whom he brought: take this reward out"
// +kubebuilder:validation:XValidation:rule="self.for != 'Sale'",fieldPath=".for",message="an owner's own sales are paid by ranks[].rateBps of the campaign's commission: take this reward out and set the rate there"
type Reward struct {
	// For is what is paid for: Recruit, Fee and TeamSales are forbidden by
	// 禁止传销条例, article 7, and Sale is what ranks[].rateBps pays.
	//
	// +required
	For RewardCause `json:"for"`

	// Count is how many of them the reward asks for, for example 90 recruits.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	Count int64 `json:"count,omitempty"`

	// PayFen is what is paid, in fen, for example 50000 for ¥500.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	PayFen int64 `json:"payFen,omitempty"`

	// RateBps is the part that is paid, in basis points, 0 to 10,000.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000
	RateBps int32 `json:"rateBps,omitempty"`

	// Every is how often it is paid.
	//
	// +optional
	Every RewardPeriod `json:"every,omitempty"`
}

// RewardCause is what a reward is for.
//
// +kubebuilder:validation:Enum=Sale;Recruit;Fee;TeamSales
type RewardCause string

// What rewards are for.
const (
	// ForSale: an own sale. It is paid by a rank's rate.
	ForSale RewardCause = "Sale"
	// ForRecruit is forbidden: NoPayForRecruiting.
	ForRecruit RewardCause = "Recruit"
	// ForFee is forbidden: NoPayFromFee.
	ForFee RewardCause = "Fee"
	// ForTeamSales is forbidden: NoUplinePay.
	ForTeamSales RewardCause = "TeamSales"
)

// RewardPeriod is how often a reward is paid.
//
// +kubebuilder:validation:Enum=Once;Month;Year
type RewardPeriod string

// WithdrawalRules say how owners take their money out.
//
// +kubebuilder:validation:XValidation:rule="!has(self.maxDayFen) || !has(self.minFen) || self.maxDayFen >= self.minFen",fieldPath=".maxDayFen",message="withdrawal.maxDayFen must not be under minFen, else nobody can take money out: raise it or lower minFen"
type WithdrawalRules struct {
	// MinFen is the least that can be taken out at a time, in fen, 1 to 1,000,000;
	// 100, the default, is ¥1.
	//
	// +optional
	// +kubebuilder:default=100
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	MinFen int64 `json:"minFen,omitempty"`

	// MaxDayFen is the most that one owner can take out on one day in
	// Asia/Shanghai, in fen, 1 to 100,000,000; 2000000, the default, is ¥20,000.
	//
	// +optional
	// +kubebuilder:default=2000000
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100000000
	MaxDayFen int64 `json:"maxDayFen,omitempty"`

	// MaxDayTimes is how often one owner can take money out on one such day, 1 to
	// 100; 3 is the default.
	//
	// +optional
	// +kubebuilder:default=3
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	MaxDayTimes int32 `json:"maxDayTimes,omitempty"`
}
