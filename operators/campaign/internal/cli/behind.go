package cli

import (
	"bytes"
	"context"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	corev1 "k8s.io/api/core/v1"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

const (
	// metricsPort is where the chart lets every service serve its metrics.
	metricsPort = 9464
	// metricsWithin bounds the wait for one pod's metrics: the tree is drawn without them.
	metricsWithin = time.Second
	// appliedMetric is the order service's: the offset behind the last entry of a lane that a pod applied.
	appliedMetric = "lane_applied"
)

// behind is how many entries of the lane the slowest pod has yet to apply that the fastest has, nil
// where no pod's metrics can be read through the API server.
func (c *cluster) behind(ctx context.Context, pods []corev1.Pod, lane *v1alpha1.Lane) *int64 {
	ctx, cancel := context.WithTimeout(ctx, metricsWithin)
	defer cancel()
	var mu sync.Mutex
	var applied []int64
	var wg sync.WaitGroup
	for _, pod := range pods {
		wg.Go(func() {
			offset, ok := c.applied(ctx, pod, lane)
			if !ok {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			applied = append(applied, offset)
		})
	}
	wg.Wait()
	return spread(applied)
}

func spread(values []int64) *int64 {
	if len(values) == 0 {
		return nil
	}
	least, most := values[0], values[0]
	for _, v := range values {
		least, most = min(least, v), max(most, v)
	}
	return new(most - least)
}

func (c *cluster) applied(ctx context.Context, pod corev1.Pod, lane *v1alpha1.Lane) (int64, bool) {
	name := net.JoinHostPort(pod.Name, strconv.Itoa(metricsPort))
	text, err := c.core.RESTClient().Get().Namespace(pod.Namespace).
		Resource("pods").SubResource("proxy").Name(name).Suffix("metrics").DoRaw(ctx)
	if err != nil {
		return 0, false
	}
	return appliedIn(text, lane)
}

// appliedIn finds the lane's offset in a pod's metrics.
func appliedIn(text []byte, lane *v1alpha1.Lane) (int64, bool) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return 0, false
	}
	for _, metric := range families[appliedMetric].GetMetric() {
		labels := map[string]string{}
		for _, label := range metric.GetLabel() {
			labels[label.GetName()] = label.GetValue()
		}
		if labels["topic"] == lane.Topic && labels["partition"] == strconv.Itoa(int(lane.Partition)) {
			return int64(metric.GetGauge().GetValue()), true
		}
	}
	return 0, false
}
