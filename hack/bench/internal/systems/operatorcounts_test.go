package systems

import (
	"strings"
	"testing"
)

func TestWritesAreCountedWithoutTheAPIServersOwn(t *testing.T) {
	const metrics = `# HELP apiserver_request_total Counter of apiserver requests
apiserver_request_total{code="201",dry_run="",group="sale.qingcang.io",resource="campaigns",subresource="",verb="POST",version="v1alpha1"} 1000
apiserver_request_total{code="200",dry_run="",group="sale.qingcang.io",resource="campaigns",subresource="status",verb="PATCH",version="v1alpha1"} 2000
apiserver_request_total{code="200",dry_run="",group="apps",resource="deployments",subresource="",verb="APPLY",version="v1"} 3
apiserver_request_total{code="201",dry_run="",group="events.k8s.io",resource="events",subresource="",verb="POST",version="v1"} 40
apiserver_request_total{code="200",dry_run="",group="sale.qingcang.io",resource="campaigns",subresource="",verb="LIST",version="v1alpha1"} 500000
apiserver_request_total{code="200",dry_run="",group="sale.qingcang.io",resource="campaigns",subresource="",verb="WATCH",version="v1alpha1"} 600000
apiserver_request_total{code="200",dry_run="",group="coordination.k8s.io",resource="leases",subresource="",verb="PUT",version="v1"} 700000
apiserver_request_terminations_total{verb="POST"} 800000
`
	if got := writesIn(metrics); got != 3_043 {
		t.Errorf("%d writes, want 3043", got)
	}
}

func TestReconcilesOfCampaignsAreCounted(t *testing.T) {
	const metrics = `controller_runtime_reconcile_total{controller="campaign",result="success"} 900
controller_runtime_reconcile_total{controller="campaign",result="requeue_after"} 1e+02
controller_runtime_reconcile_total{controller="program",result="success"} 5
`
	if got, err := reconciledIn(strings.NewReader(metrics)); err != nil || got != 1_000 {
		t.Errorf("%d, %v, want 1000", got, err)
	}
}
