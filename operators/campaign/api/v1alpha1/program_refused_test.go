package v1alpha1_test

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/teststack"
)

// The sentences by which the law's rules are known.
const (
	depthSentence     = "DepthNeedsSignOff (禁止传销条例, article 7 (3)): at depth 2 an owner earns on sales of owners whom he brought, which only a dated legal sign-off can carry: set depth to 1, or give signOff"
	threeSentence     = "NoUplinePay (禁止传销条例, article 7 (3)): three or more levels that earn on one sale are pay by downline sales: set depth to 1, or to 2 with a signOff"
	secondSentence    = "NoUplinePay (禁止传销条例, article 7 (3)): secondLevelBps pays an owner for sales of those whom he brought, and this programme has depth 1: set secondLevelBps to 0"
	teamSentence      = "NoUplinePay (禁止传销条例, article 7 (3)): nobody can be paid by what others sell whom he brought: take this reward out"
	recruitSentence   = "NoPayForRecruiting (禁止传销条例, article 7 (1)): nobody can be paid for people whom he brought, by number or by head: take this reward out"
	fromFeeSentence   = "NoPayFromFee (禁止传销条例, article 7 (2)): no part of a membership fee can become commission: take this reward out"
	headSentence      = "NoHeadCountRank (禁止传销条例, article 7 (1)): a rank cannot come from the number of people that somebody brought: take HeadCount out"
	teamRankSentence  = "NoTeamSalesRank (禁止传销条例, article 7 (3)): a rank cannot come from what others sell whom somebody brought: take TeamSales out"
	entryFeeSentence  = "NoEntryFee (禁止传销条例, article 7 (2)): a fee cannot buy the right to bring others in: take RightToRecruit out"
	boughtRank        = "NoEntryFee (禁止传销条例, article 7 (2)): a fee cannot buy a rank, which comes from one's own sales and service: take Rank out"
	emptyFeeSentence  = "NoEntryFee (禁止传销条例, article 7 (2)): a fee that buys no benefits is an entry fee: put Benefits in, or leave feeGrants out"
	refundSentence    = "FeeIsRefundable (消费者权益保护法, article 25): a member may have the fee back without a reason for seven days: set feeReturnWindow to 168h or more"
	feeWindowSentence = "feeReturnWindow must be 168h to 8760h in whole hours, minutes and seconds: write seven days as 168h"
	weekSentence      = "SevenDayReturn (消费者权益保护法, article 25): a buyer may send goods back without a reason for seven days, clearance goods too: set returnWindow to 168h or more"
	leastWindow       = "returnWindow must be 168h to 8760h in whole hours, minutes and seconds: write seven days as 168h"
	freezeSentence    = "freeze must be 0s to 2160h in whole hours, minutes and seconds, for example 24h"
	ownSalesSentence  = "an owner's own sales are paid by ranks[].rateBps of the campaign's commission: take this reward out and set the rate there"
	firstSentence     = "the first rank must ask for nothing, because it is what everybody is who joins: set its minOwnSalesFen and minServiceScoreTenths to 0"
	ascendingSentence = "each rank must ask for more than the one before it, in minOwnSalesFen or minServiceScoreTenths, and for less in neither: put the ranks in ascending order"
	fallingSentence   = "a rank must not pay less than the one before it, else owners lose by selling more: raise its rateBps"
	wholeSentence     = "rateBps and secondLevelBps together must not be over 10000, the whole commission: lower one of them"
	bySalesSentence   = "a rank with minOwnSalesFen comes from own sales: put OwnSales into qualifyBy, or set minOwnSalesFen to 0"
	byServiceSentence = "a rank with minServiceScoreTenths comes from service: put Service into qualifyBy, or set minServiceScoreTenths to 0"
	rankNameSentence  = "a rank's name must be lower case letters, digits and -, with a letter or digit at both ends: for example mentor"
	dateSentence      = "signOff.date must be a day of the calendar and not before 2005-11-01, when 禁止传销条例 came into force: write the day of the signature, for example 2026-10-12"
	checksumSentence  = "signOff.documentSHA256 must be 64 lower case hexadecimal digits, as `sha256sum FILE` prints them"
	nobodySentence    = "withdrawal.maxDayFen must not be under minFen, else nobody can take money out: raise it or lower minFen"
)

// secondRank is a programme whose second rank is changed.
func secondRank(edits ...change) change {
	return ranks(rank("member"), rank("mentor", set(int64(100), "minOwnSalesFen"), as(edits...)))
}

// refusedPrograms are wrong as they stand, each with the sentence that says what to change.
var refusedPrograms = map[string]refused{
	"ninety recruits for ¥500 a month":             {reward(), recruitSentence},
	"pay for each recruit":                         {reward(set(int64(1), "count"), set("Once", "every")), recruitSentence},
	"commission out of the fee":                    {reward(set("Fee", "for"), set(int64(5_000), "rateBps")), fromFeeSentence},
	"a bonus on the team's sales":                  {reward(set("TeamSales", "for"), set(int64(300), "rateBps")), teamSentence},
	"a bonus on own sales beside the rate":         {reward(set("Sale", "for")), ownSalesSentence},
	"a bonus for something else":                   {reward(set("Luck", "for")), `spec.rewards[0].for: Unsupported value: "Luck": supported values: "Sale", "Recruit", "Fee", "TeamSales"`},
	"a reward for nothing named":                   {reward(drop("for")), "spec.rewards[0].for: Required value"},
	"a reward every day":                           {reward(set("Day", "every")), `spec.rewards[0].every: Unsupported value: "Day": supported values: "Once", "Month", "Year"`},
	"a reward for a negative count":                {reward(set(int64(-1), "count")), "spec.rewards[0].count in body should be greater than or equal to 0"},
	"a reward of negative pay":                     {reward(set(int64(-1), "payFen")), "spec.rewards[0].payFen in body should be greater than or equal to 0"},
	"a reward of a negative rate":                  {reward(set(int64(-1), "rateBps")), "spec.rewards[0].rateBps in body should be greater than or equal to 0"},
	"a reward of more than there is":               {reward(set(int64(10_001), "rateBps")), "spec.rewards[0].rateBps in body should be less than or equal to 10000"},
	"21 rewards":                                   {manyRewards(21), "spec.rewards: Too many: 21: must have at most 20 items"},
	"a title by the number of people":              {secondRank(set(list("HeadCount"), "qualifyBy")), headSentence},
	"a title by people beside sales":               {secondRank(set(list("OwnSales", "HeadCount"), "qualifyBy")), headSentence},
	"a title by the team's sales":                  {secondRank(set(list("TeamSales"), "qualifyBy")), teamRankSentence},
	"a title by nothing that it asks for":          {secondRank(set(list[any](), "qualifyBy")), bySalesSentence},
	"a title by service that asks for sales":       {secondRank(set(list("Service"), "qualifyBy")), bySalesSentence},
	"a title by sales that asks for service":       {secondRank(set(list("OwnSales"), "qualifyBy"), set(int64(45), "minServiceScoreTenths")), byServiceSentence},
	"a title by something else":                    {secondRank(set(list("Charm"), "qualifyBy")), `spec.ranks[1].qualifyBy[0]: Unsupported value: "Charm": supported values: "OwnSales", "Service", "HeadCount", "TeamSales"`},
	"a title by the same twice":                    {secondRank(set(list("Service", "Service"), "qualifyBy")), `spec.ranks[1].qualifyBy[1]: Duplicate value: "Service"`},
	"a title by five things":                       {secondRank(set(list("OwnSales", "Service", "HeadCount", "TeamSales", "OwnSales"), "qualifyBy")), "spec.ranks[1].qualifyBy: Too many: 5: must have at most 4 items"},
	"a fee for the right to recruit":               {set(list("Benefits", "RightToRecruit"), "feeGrants"), entryFeeSentence},
	"a fee for a rank":                             {set(list("Rank"), "feeGrants"), boughtRank},
	"a fee for nothing":                            {set(list[any](), "feeGrants"), emptyFeeSentence},
	"a fee for something else":                     {set(list("Fame"), "feeGrants"), `spec.feeGrants[0]: Unsupported value: "Fame": supported values: "Benefits", "RightToRecruit", "Rank"`},
	"a fee for the same twice":                     {set(list("Benefits", "Benefits"), "feeGrants"), `spec.feeGrants[1]: Duplicate value: "Benefits"`},
	"a fee for four things":                        {set(list("Benefits", "RightToRecruit", "Rank", "Benefits"), "feeGrants"), "spec.feeGrants: Too many: 4: must have at most 3 items"},
	"two levels without a sign-off":                {set(int64(2), "depth"), depthSentence},
	"three levels":                                 {set(int64(3), "depth"), threeSentence},
	"three levels with a sign-off":                 {as(signed(), set(int64(3), "depth")), threeSentence},
	"no level":                                     {set(int64(0), "depth"), "spec.depth in body should be greater than or equal to 1"},
	"pay for the second level at depth 1":          {secondRank(set(int64(500), "secondLevelBps")), secondSentence},
	"pay for the second level, signed, at depth 1": {as(signed(), set(int64(1), "depth"), secondRank(set(int64(500), "secondLevelBps"))), secondSentence},
	"a fee that cannot be had back":                {set("0s", "feeReturnWindow"), refundSentence},
	"a fee that can be had back for six days":      {set("167h59m59s", "feeReturnWindow"), refundSentence},
	"a fee that can be had back for over a year":   {set("8760h1s", "feeReturnWindow"), feeWindowSentence},
	"a fee return window in days":                  {set("7d", "feeReturnWindow"), feeWindowSentence},
	"an empty fee return window":                   {set("", "feeReturnWindow"), feeWindowSentence},
	"a fee return window of 21 characters":         {set(strings.Repeat("1h", 10)+"1", "feeReturnWindow"), "spec.feeReturnWindow: Too long: may not be more than 20"},

	"no title":                      {drop("title"), "spec.title: Required value"},
	"an empty title":                {set("", "title"), "spec.title in body should be at least 1 chars long"},
	"a title of 121 characters":     {set(strings.Repeat("店", 121), "title"), "spec.title: Too long: may not be more than 120"},
	"a title of two lines":          {set("Store\nowner", "title"), titleSentence},
	"a negative fee":                {set(int64(-1), "feeFen"), "spec.feeFen in body should be greater than or equal to 0"},
	"a fee over ¥10,000":            {set(int64(1_000_001), "feeFen"), "spec.feeFen in body should be less than or equal to 1000000"},
	"a fee in yuan":                 {set("¥398", "feeFen"), "spec.feeFen in body must be of type integer"},
	"a negative freeze":             {set("-1s", "freeze"), freezeSentence},
	"an empty freeze":               {set("", "freeze"), freezeSentence},
	"a freeze of more than 90 days": {set("2160h1s", "freeze"), freezeSentence},
	"a freeze of 21 characters":     {set(strings.Repeat("1h", 10)+"1", "freeze"), "spec.freeze: Too long: may not be more than 20"},
	"goods back for six days":       {set("144h", "returnWindow"), weekSentence},
	"goods back for seven days":     {set("7d", "returnWindow"), leastWindow},
	"goods back for over a year":    {set("8761h", "returnWindow"), leastWindow},
	"goods back for 21 characters":  {set(strings.Repeat("1h", 10)+"1", "returnWindow"), "spec.returnWindow: Too long: may not be more than 20"},

	"no ranks":                               {drop("ranks"), "spec.ranks: Required value"},
	"an empty list of ranks":                 {ranks(), "spec.ranks in body should have at least 1 items"},
	"eleven ranks":                           {manyRanks(11), "spec.ranks: Too many: 11: must have at most 10 items"},
	"a rank twice":                           {ranks(rank("member"), rank("member", set(int64(1), "minOwnSalesFen"))), `spec.ranks[1]: Duplicate value: {"name":"member"}`},
	"a rank without a name":                  {ranks(map[string]any{"rateBps": int64(1)}), "spec.ranks[0].name: Required value"},
	"a rank with an empty name":              {ranks(rank("")), rankNameSentence},
	"a rank's name with a capital":           {ranks(rank("Mentor")), rankNameSentence},
	"a rank's name of 41 characters":         {ranks(rank(strings.Repeat("m", 41))), "spec.ranks[0].name: Too long: may not be more than 40"},
	"a rank without a rate":                  {ranks(map[string]any{"name": "member"}), "spec.ranks[0].rateBps: Required value"},
	"a rank of a negative rate":              {ranks(rank("member", set(int64(-1), "rateBps"))), "spec.ranks[0].rateBps in body should be greater than or equal to 0"},
	"a rank that gets more than all":         {ranks(rank("member", set(int64(10_001), "rateBps"))), "spec.ranks[0].rateBps in body should be less than or equal to 10000"},
	"a negative second level":                {ranks(rank("member", set(int64(-1), "secondLevelBps"))), "spec.ranks[0].secondLevelBps in body should be greater than or equal to 0"},
	"a second level over half":               {ranks(rank("member", set(int64(5_001), "secondLevelBps"))), "spec.ranks[0].secondLevelBps in body should be less than or equal to 5000"},
	"two levels that get more than all":      {as(signed(), ranks(rank("member", set(int64(3_001), "secondLevelBps")))), wholeSentence},
	"a rank by negative sales":               {secondRank(set(int64(-1), "minOwnSalesFen")), "spec.ranks[1].minOwnSalesFen in body should be greater than or equal to 0"},
	"a rank by more sales than there are":    {secondRank(set(int64(100_000_000_001), "minOwnSalesFen")), "spec.ranks[1].minOwnSalesFen in body should be less than or equal to 100000000000"},
	"a rank by a negative score":             {secondRank(set(int64(-1), "minServiceScoreTenths")), "spec.ranks[1].minServiceScoreTenths in body should be greater than or equal to 0"},
	"a rank by a score over 5.0":             {secondRank(set(int64(51), "minServiceScoreTenths")), "spec.ranks[1].minServiceScoreTenths in body should be less than or equal to 50"},
	"a first rank that asks for sales":       {ranks(rank("member", set(int64(1), "minOwnSalesFen"))), firstSentence},
	"a first rank that asks for service":     {ranks(rank("member", set(int64(1), "minServiceScoreTenths"))), firstSentence},
	"a second rank that asks for no more":    {secondRank(set(int64(0), "minOwnSalesFen")), ascendingSentence},
	"ranks whose service requirement falls":  {ranks(rank("a"), rank("b", set(int64(40), "minServiceScoreTenths")), rank("c", set(int64(9), "minOwnSalesFen"))), ascendingSentence},
	"a second rank that pays less":           {secondRank(set(int64(6_999), "rateBps")), fallingSentence},
	"a sign-off by nobody":                   {signed(drop("by")), "spec.signOff.by: Required value"},
	"a sign-off by an empty name":            {signed(set("", "by")), "spec.signOff.by in body should be at least 1 chars long"},
	"a sign-off by 121 characters":           {signed(set(strings.Repeat("王", 121), "by")), "spec.signOff.by: Too long: may not be more than 120"},
	"a sign-off that was not filed":          {signed(drop("reference")), "spec.signOff.reference: Required value"},
	"a sign-off with an empty reference":     {signed(set("", "reference")), "spec.signOff.reference in body should be at least 1 chars long"},
	"a sign-off with a reference of 121":     {signed(set(strings.Repeat("1", 121), "reference")), "spec.signOff.reference: Too long: may not be more than 120"},
	"a sign-off without a date":              {signed(drop("date")), "spec.signOff.date: Required value"},
	"a sign-off on a day that never was":     {signed(set("2026-02-30", "date")), dateSentence},
	"a sign-off on a day in words":           {signed(set("12 October", "date")), dateSentence},
	"a sign-off before there was a law":      {signed(set("2005-10-31", "date")), dateSentence},
	"a sign-off with a date of 11 signs":     {signed(set("2026-10-12Z", "date")), "spec.signOff.date: Too long: may not be more than 10"},
	"a sign-off without a checksum":          {signed(drop("documentSHA256")), "spec.signOff.documentSHA256: Required value"},
	"a sign-off with half a checksum":        {signed(set("0a0a", "documentSHA256")), checksumSentence},
	"a sign-off with a checksum in capitals": {signed(set(strings.Repeat("0A", 32), "documentSHA256")), checksumSentence},
	"a sign-off with a checksum of 65":       {signed(set(strings.Repeat("0", 65), "documentSHA256")), "spec.signOff.documentSHA256: Too long: may not be more than 64"},
	"withdrawals of nothing":                 {set(int64(0), "withdrawal", "minFen"), "spec.withdrawal.minFen in body should be greater than or equal to 1"},
	"withdrawals from over ¥10,000":          {set(int64(1_000_001), "withdrawal", "minFen"), "spec.withdrawal.minFen in body should be less than or equal to 1000000"},
	"withdrawals up to nothing":              {set(int64(0), "withdrawal", "maxDayFen"), "spec.withdrawal.maxDayFen in body should be greater than or equal to 1"},
	"withdrawals up to over a million yuan":  {set(int64(100_000_001), "withdrawal", "maxDayFen"), "spec.withdrawal.maxDayFen in body should be less than or equal to 100000000"},
	"no withdrawal a day":                    {set(int64(0), "withdrawal", "maxDayTimes"), "spec.withdrawal.maxDayTimes in body should be greater than or equal to 1"},
	"101 withdrawals a day":                  {set(int64(101), "withdrawal", "maxDayTimes"), "spec.withdrawal.maxDayTimes in body should be less than or equal to 100"},
	"withdrawals that nobody can make":       {set(int64(99), "withdrawal", "maxDayFen"), nobodySentence},
	"a field that does not exist":            {set(int64(90), "recruits"), `unknown field "spec.recruits"`},
}

func TestTheAPIServerRefusesPrograms(t *testing.T) {
	wantRefused(t, goodProgram, refusedPrograms)
}

func TestTheAPIServerTakesPrograms(t *testing.T) {
	wantTaken(t, goodProgram, map[string]change{
		"a membership for nothing":         set(int64(0), "feeFen"),
		"a fee of ¥10,000":                 set(int64(1_000_000), "feeFen"),
		"a fee to be had back for a month": set("720h", "feeReturnWindow"),
		"one rank":                         ranks(rank("member")),
		"ten ranks":                        manyRanks(10),
		"a rank that gets all":             ranks(rank("leader", set(int64(10_000), "rateBps"))),
		"a rank by service alone":          ranks(rank("a"), rank("b", set(int64(45), "minServiceScoreTenths"), set(list("Service"), "qualifyBy"))),
		"two levels with a sign-off":       as(signed(), secondRank(set(int64(3_000), "secondLevelBps"))),
		"a sign-off that is not used":      as(signed(), set(int64(1), "depth")),
		"no freeze":                        set("0s", "freeze"),
		"a freeze of 90 days":              set("2160h", "freeze"),
		"no rewards":                       set(list[any](), "rewards"),
		"one withdrawal a day of a fen":    as(set(int64(1), "withdrawal", "minFen"), set(int64(1), "withdrawal", "maxDayFen"), set(int64(1), "withdrawal", "maxDayTimes")),
	})
}

func TestDefaultsOfAProgram(t *testing.T) {
	stack := teststack.New(t)
	object := manifest(t, stack.Namespace, goodProgram)
	if err := stack.Client.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	p := &v1alpha1.OwnerProgram{}
	if err := stack.Client.Get(t.Context(), client.ObjectKeyFromObject(object), p); err != nil {
		t.Fatal(err)
	}
	week := metav1.Duration{Duration: 168 * time.Hour}
	if p.Spec.FeeFen != 39_800 || p.Spec.FeeReturnWindow != week || p.Spec.Depth != 1 || p.Spec.ReturnWindow != week || p.Spec.Freeze.Duration != 0 {
		t.Errorf("got %+v, want ¥398, seven days, depth 1 and no freeze", p.Spec)
	}
	want := v1alpha1.WithdrawalRules{MinFen: 100, MaxDayFen: 2_000_000, MaxDayTimes: 3}
	if p.Spec.Withdrawal != want {
		t.Errorf("withdrawal %+v, want %+v", p.Spec.Withdrawal, want)
	}
}
