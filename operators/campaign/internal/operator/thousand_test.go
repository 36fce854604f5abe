package operator_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/teststack"
)

// TestAThousandCampaignsFitIntoMemory measures the program with 1,000 campaigns of 100 items. It takes a
// minute, so it runs only where THOUSAND is set.
func TestAThousandCampaignsFitIntoMemory(t *testing.T) {
	if os.Getenv("THOUSAND") == "" {
		t.Skip("set THOUSAND=1 to measure the operator with 1,000 campaigns")
	}
	const campaigns, itemsEach, limitMiB = 1_000, 100, 100
	s := teststack.New(t).WithBroker(t)
	binary := filepath.Join(t.TempDir(), "manager")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../cmd/manager").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	manager := exec.CommandContext(t.Context(), binary, "--cluster-name", "north", "--namespace", s.Namespace, "--health-probe-bind-address", "0")
	manager.Env = append(os.Environ(), "KAFKA_TOPIC_PREFIX="+s.Kafka.TopicPrefix)
	manager.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := manager.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = manager.Process.Kill(); _ = manager.Wait() })

	started := time.Now()
	var next atomic.Int64
	var writers sync.WaitGroup
	for range 16 {
		writers.Go(func() {
			for next.Add(1) <= campaigns && !t.Failed() {
				many(t, s, itemsEach)
			}
		})
	}
	writers.Wait()
	t.Logf("made in %s", time.Since(started).Round(time.Millisecond))
	deadline := time.Now().Add(2 * time.Minute)
	for {
		var list v1alpha1.CampaignList
		if err := s.Client.List(t.Context(), &list, client.InNamespace(s.Namespace)); err != nil {
			t.Fatal(err)
		}
		told := 0
		for i := range list.Items {
			if list.Items[i].Status.Revision > 0 {
				told++
			}
		}
		if told == campaigns {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d were published", told, campaigns)
		}
		<-time.After(200 * time.Millisecond)
	}
	t.Logf("published in %s", time.Since(started).Round(time.Millisecond))
	peak, now := resident(t, manager.Process.Pid, "VmHWM"), resident(t, manager.Process.Pid, "VmRSS")
	t.Logf("resident: %d MiB, at most %d MiB", now, peak)
	if peak > limitMiB {
		t.Errorf("%d MiB resident, want at most %d", peak, limitMiB)
	}
}

func many(t *testing.T, s *teststack.Stack, items int) {
	c := &v1alpha1.Campaign{Spec: v1alpha1.CampaignSpec{
		BrandID: "brand_01k9z3w5n8e7s9v0q2c4x6b8da", Title: "Autumn coats", CommissionBps: 1_000,
		StartAt: v1alpha1.MomentOf(time.Now().Add(time.Hour)), EndAt: v1alpha1.MomentOf(time.Now().Add(2 * time.Hour)),
	}}
	c.GenerateName, c.Namespace = "many-", s.Namespace
	for i := range items {
		c.Spec.Items = append(c.Spec.Items, v1alpha1.Item{SKU: fmt.Sprintf("690123456%04d", i), PriceFen: 6_000, SettlementFen: 4_000, Units: 10})
	}
	if err := s.Client.Create(t.Context(), c); err != nil {
		t.Error(err)
	}
}

// resident reads a figure of /proc, in MiB.
func resident(t *testing.T, pid int, name string) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			kib, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")))
			if err != nil {
				t.Fatal(err)
			}
			return kib / 1024
		}
	}
	t.Fatalf("/proc has no %s", name)
	return 0
}
