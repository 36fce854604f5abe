package simulate

import (
	"regexp"
	"slices"
	"time"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

// Rule is the name of something that the law forbids a programme, as the API server's refusals have it.
type Rule string

// The rules.
const (
	// NoPayForRecruiting: nobody is paid for people whom he brought.
	NoPayForRecruiting Rule = "NoPayForRecruiting"
	// NoHeadCountRank: no rank comes from how many people somebody brought.
	NoHeadCountRank Rule = "NoHeadCountRank"
	// NoEntryFee: a fee buys neither a rank nor the right to bring others in.
	NoEntryFee Rule = "NoEntryFee"
	// NoPayFromFee: no part of a fee becomes commission.
	NoPayFromFee Rule = "NoPayFromFee"
	// FeeIsRefundable: a member may have the fee back within seven days at the least.
	FeeIsRefundable Rule = "FeeIsRefundable"
	// SevenDayReturn: a buyer may send goods back within seven days at the least.
	SevenDayReturn Rule = "SevenDayReturn"
	// NoUplinePay: nobody is paid by what others sell whom he brought, beyond a signed second level.
	NoUplinePay Rule = "NoUplinePay"
	// NoTeamSalesRank: no rank comes from what others sell whom somebody brought.
	NoTeamSalesRank Rule = "NoTeamSalesRank"
	// DepthNeedsSignOff: a second level needs a dated consent of the legal department.
	DepthNeedsSignOff Rule = "DepthNeedsSignOff"
)

// articles are where the rules stand. That a fee and goods can be had back is the law of distance selling's.
var articles = map[Rule]string{
	NoPayForRecruiting: "禁止传销条例, article 7 (1)", NoHeadCountRank: "禁止传销条例, article 7 (1)",
	NoEntryFee: "禁止传销条例, article 7 (2)", NoPayFromFee: "禁止传销条例, article 7 (2)",
	NoUplinePay: "禁止传销条例, article 7 (3)", NoTeamSalesRank: "禁止传销条例, article 7 (3)", DepthNeedsSignOff: "禁止传销条例, article 7 (3)",
	FeeIsRefundable: "消费者权益保护法, article 25", SevenDayReturn: "消费者权益保护法, article 25",
}

// Breach is a rule that a programme breaks, and where.
type Breach struct {
	Rule  Rule   `json:"rule"`
	Field string `json:"field"`
	Say   string `json:"say"`
}

// Breaches checks a programme by itself, apart from the API server: before anybody applies it, and so
// that one slip in the rules there does not go unnoticed.
func Breaches(p *v1alpha1.OwnerProgram) []Breach {
	spec := p.Spec
	out := slices.Concat(feeBreaches(spec), depthBreaches(spec))
	if spec.ReturnWindow.Duration < v1alpha1.LegalReturnWindow {
		out = append(out, Breach{SevenDayReturn, "spec.returnWindow", "a buyer may send goods back for seven days: set returnWindow to 168h or more"})
	}
	for i, r := range spec.Ranks {
		out = append(out, rankBreaches(at("spec.ranks", i), r)...)
	}
	for i, r := range spec.Rewards {
		out = append(out, rewardBreaches(at("spec.rewards", i), r)...)
	}
	return out
}

func feeBreaches(spec v1alpha1.OwnerProgramSpec) (out []Breach) {
	if slices.Contains(spec.FeeGrants, v1alpha1.FeeGrantsRightToRecruit) {
		out = append(out, Breach{NoEntryFee, "spec.feeGrants", "a fee cannot buy the right to bring others in: take RightToRecruit out"})
	}
	if slices.Contains(spec.FeeGrants, v1alpha1.FeeGrantsRank) {
		out = append(out, Breach{NoEntryFee, "spec.feeGrants", "a fee cannot buy a rank: take Rank out"})
	}
	if spec.FeeGrants != nil && !slices.Contains(spec.FeeGrants, v1alpha1.FeeGrantsBenefits) {
		out = append(out, Breach{NoEntryFee, "spec.feeGrants", "a fee that buys no benefits is an entry fee: put Benefits in, or leave feeGrants out"})
	}
	if spec.FeeReturnWindow.Duration < v1alpha1.LegalReturnWindow {
		out = append(out, Breach{FeeIsRefundable, "spec.feeReturnWindow", "a member may have the fee back for seven days: set feeReturnWindow to 168h or more"})
	}
	return out
}

func depthBreaches(spec v1alpha1.OwnerProgramSpec) (out []Breach) {
	depth := depthOf(spec)
	if depth > deepest {
		out = append(out, Breach{NoUplinePay, "spec.depth", "three or more levels that earn on one sale cannot be had: set depth to 1, or to 2 with a signOff"})
	}
	if depth == 2 && !signed(spec.SignOff) {
		out = append(out, Breach{DepthNeedsSignOff, "spec.signOff", "depth 2 needs the legal department's dated consent: set depth to 1, or give signOff"})
	}
	for i, r := range spec.Ranks {
		if depth < 2 && r.SecondLevelBps != 0 {
			out = append(out, Breach{NoUplinePay, at("spec.ranks", i) + ".secondLevelBps", "this programme has depth 1: set secondLevelBps to 0"})
		}
	}
	return out
}

// inForce is the day on which 禁止传销条例 came into force: nobody signed off what it forbids before.
const inForce = "2005-11-01"

// signed tells whether a consent says who, under which number, when and which document.
func signed(s *v1alpha1.SignOff) bool {
	if s == nil || s.By == "" || s.Reference == "" || !checksum.MatchString(s.DocumentSHA256) {
		return false
	}
	_, err := time.Parse(time.DateOnly, s.Date)
	return err == nil && s.Date >= inForce
}

var checksum = regexp.MustCompile(`^[0-9a-f]{64}$`)

func rankBreaches(field string, r v1alpha1.Rank) (out []Breach) {
	if slices.Contains(r.QualifyBy, v1alpha1.ByHeadCount) {
		out = append(out, Breach{NoHeadCountRank, field + ".qualifyBy", "a rank cannot come from the number of people that somebody brought: take HeadCount out"})
	}
	if slices.Contains(r.QualifyBy, v1alpha1.ByTeamSales) {
		out = append(out, Breach{NoTeamSalesRank, field + ".qualifyBy", "a rank cannot come from what others sell: take TeamSales out"})
	}
	return out
}

func rewardBreaches(field string, r v1alpha1.Reward) []Breach {
	switch r.For {
	case v1alpha1.ForRecruit:
		return []Breach{{NoPayForRecruiting, field, "nobody can be paid for people whom he brought: take this reward out"}}
	case v1alpha1.ForFee:
		return []Breach{{NoPayFromFee, field, "no part of a membership fee can become commission: take this reward out"}}
	case v1alpha1.ForTeamSales:
		return []Breach{{NoUplinePay, field, "nobody can be paid by what others sell: take this reward out"}}
	default: // an own sale: no rule of law is broken; unpaid says where its pay belongs
		return nil
	}
}
