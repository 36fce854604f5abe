package program

import (
	"time"

	programv1 "github.com/qingcang/qingcang/proto/gen/program/v1"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

// desired is the programme as the services read it, but for its generation. What the law forbids has no
// field in the message, so that it cannot be published even if admission were gone.
func desired(p *v1alpha1.OwnerProgram, cluster string) *programv1.Desired {
	d := &programv1.Desired{
		Uid:              string(p.UID),
		Cluster:          cluster,
		Namespace:        p.Namespace,
		Name:             p.Name,
		Title:            p.Spec.Title,
		FeeFen:           p.Spec.FeeFen,
		FeeReturnSeconds: seconds(p.Spec.FeeReturnWindow.Duration),
		Depth:            p.Spec.Depth,
		FreezeSeconds:    seconds(p.Spec.Freeze.Duration),
		Withdrawal: &programv1.Withdrawal{
			MinFen:      p.Spec.Withdrawal.MinFen,
			MaxDayFen:   p.Spec.Withdrawal.MaxDayFen,
			MaxDayTimes: p.Spec.Withdrawal.MaxDayTimes,
		},
	}
	for _, r := range p.Spec.Ranks {
		d.Ranks = append(d.Ranks, &programv1.Rank{
			Name:               r.Name,
			OwnSalesFen:        r.MinOwnSalesFen,
			ServiceScoreTenths: r.MinServiceScoreTenths,
			RateBps:            r.RateBps,
			SecondLevelBps:     r.SecondLevelBps,
		})
	}
	return d
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }
