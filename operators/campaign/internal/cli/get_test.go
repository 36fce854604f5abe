package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/children"
	"github.com/qingcang/qingcang/operators/campaign/internal/teststack"
	"github.com/qingcang/qingcang/operators/campaign/internal/view"
)

func TestGetRefusesWhatMakesNoSense(t *testing.T) {
	w := newWorld(t)
	for name, tc := range map[string]struct {
		args []string
		want string
		code int
	}{
		"a form that is not known":     {[]string{"coats", "-o", "xml"}, "-o xml is not known: tree, json or yaml", ExitUsage},
		"watching all":                 {[]string{"-w"}, "--watch follows one campaign: name it", ExitUsage},
		"a tree of all":                {[]string{"-o", "tree"}, "-o tree shows one campaign: name it", ExitUsage},
		"one in all namespaces":        {[]string{"coats", "-A"}, "-A is for the table of all campaigns", ExitUsage},
		"two":                          {[]string{"coats", "shoes"}, "name one campaign, or none for a table of all", ExitUsage},
		"a recording of one look":      {[]string{"coats", "--record", "x.cast"}, "--record needs --watch", ExitUsage},
		"a campaign that is not there": {[]string{"coats"}, "there is no campaign coats in namespace " + w.Namespace, ExitFailed},
		"watching what is not there":   {[]string{"coats", "-w"}, "there is no campaign coats in namespace " + w.Namespace, ExitFailed},
	} {
		t.Run(name, func(t *testing.T) {
			got := w.run(append([]string{"get", "campaign"}, tc.args...)...)
			if got.code != tc.code || !strings.Contains(got.err, tc.want) {
				t.Errorf("code %d and %q, want %d and %q", got.code, got.err, tc.code, tc.want)
			}
		})
	}
}

func TestGetShowsACampaign(t *testing.T) {
	w := newWorld(t)
	w.campaign("coats", live())
	w.pod("order-1", map[string]string{"app.kubernetes.io/name": "order"})
	w.pod("order-2", map[string]string{"app.kubernetes.io/component": "order"})
	w.pod("catalog", map[string]string{"app.kubernetes.io/name": "catalog"})

	t.Run("as a tree", func(t *testing.T) {
		got := w.run("get", "campaign", "coats")
		for _, want := range []string{"Campaign " + w.Namespace + "/coats Autumn coats", "Live, closes in", "Asia/Shanghai",
			"410 sold, 120 held, 470 left of 1,000", "380 paid", "lanes.shared.v1 partition 3, shared", "Pod order-1", "Pod order-2", "none: the lane is shared"} {
			if !strings.Contains(got.out, want) {
				t.Errorf("no %q in\n%s%s", want, got.out, got.err)
			}
		}
		if strings.Contains(got.out, "catalog") || strings.Contains(got.out, "\x1b") {
			t.Errorf("it has another's pods, or colours, in\n%s", got.out)
		}
	})
	decoders := map[string]func(string, any) error{
		"json": func(text string, into any) error { return json.Unmarshal([]byte(text), into) },
		"yaml": func(text string, into any) error { return yaml.Unmarshal([]byte(text), into) },
	}
	for form, decode := range decoders {
		t.Run("as "+form, func(t *testing.T) {
			got := w.run("get", "camp", "coats", "-o", form)
			var v view.View
			if err := decode(got.out, &v); err != nil {
				t.Fatalf("%v: %s%s", err, got.out, got.err)
			}
			if v.Phase != "Live" || v.Stock.Sold != 410 || v.Next == nil || v.Next.What != "closes" || len(v.Lane.Pods) != 2 {
				t.Errorf("it says %+v", v)
			}
		})
	}
	t.Run("among all", func(t *testing.T) {
		got := w.run("get", "campaigns")
		if lines := strings.Split(strings.TrimSpace(got.out), "\n"); len(lines) != 2 || !strings.HasPrefix(lines[1], "coats ") {
			t.Errorf("got\n%s%s", got.out, got.err)
		}
		var list struct{ Campaigns []view.View }
		got = w.run("get", "campaigns", "-o", "json")
		if err := json.Unmarshal([]byte(got.out), &list); err != nil || len(list.Campaigns) != 1 {
			t.Errorf("%v: %s%s", err, got.out, got.err)
		}
	})
}

func TestADedicatedLaneShowsItsOwn(t *testing.T) {
	w := newWorld(t)
	name := strings.Repeat("a-long-name-", 9) + "coats" // longer than a label may be
	c := w.campaign(name, live())
	c.Status.Lane = nil
	w.write(c)
	shared := w.run("get", "campaign", name)
	if !strings.Contains(shared.out, "none chosen yet") {
		t.Errorf("without a lane\n%s%s", shared.out, shared.err)
	}
	c = w.get(name)
	c.Status.Lane = &v1alpha1.Lane{Topic: "lane." + string(c.UID)}
	w.write(c)
	own := map[string]string{children.UIDLabel: string(c.UID)}
	w.pod("lane-coats-1", own)
	w.pod("order-1", map[string]string{"app.kubernetes.io/name": "order"})
	lane := metav1.ObjectMeta{Namespace: w.Namespace, Name: "lane-coats", Labels: own}
	for _, object := range []client.Object{
		&appsv1.Deployment{ObjectMeta: lane, Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: own},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: own}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "order", Image: "order"}}}},
		}},
		&policyv1.PodDisruptionBudget{ObjectMeta: lane},
	} {
		if err := w.Client.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
	got := w.run("get", "campaign", name)
	for _, want := range []string{"dedicated", "Pod lane-coats-1", "Deployment lane-coats", "0 of 1 ready", "PodDisruptionBudget lane-coats"} {
		if !strings.Contains(got.out, want) {
			t.Errorf("no %q in\n%s%s", want, got.out, got.err)
		}
	}
	if strings.Contains(got.out, "order-1") || strings.Contains(got.out, "HTTPRoute") {
		t.Errorf("it shows what is not its own\n%s", got.out)
	}
}

func TestAnEmptyNamespaceIsSaidSo(t *testing.T) {
	w := newWorld(t)
	if got := w.run("get", "campaigns"); got.code != ExitOK || got.out != "No campaigns in namespace "+w.Namespace+" (-n names another, -A shows all).\n" {
		t.Errorf("%+v", got)
	}
}

// pod makes a pod that no node runs.
func (w *world) pod(name string, labels map[string]string) {
	w.t.Helper()
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.Namespace, Name: name, Labels: labels},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "order", Image: "order"}}},
	}
	if err := w.Client.Create(w.t.Context(), p); err != nil {
		w.t.Fatal(err)
	}
}

// watching is a `get campaign coats -w` that runs.
type watching struct {
	out  *output
	stop context.CancelFunc
	code chan int
}

func (w *world) watch(args ...string) *watching {
	w.t.Helper()
	ctx, stop := context.WithCancel(w.t.Context())
	running := &watching{out: &output{}, stop: stop, code: make(chan int, 1)}
	streams := genericiooptions.IOStreams{In: strings.NewReader(""), Out: running.out, ErrOut: running.out}
	all := append([]string{"kubectl-qingcang", "-n", w.Namespace, "get", "campaign", "coats", "--watch"}, args...)
	go func() { running.code <- Run(ctx, all, streams) }()
	w.t.Cleanup(stop)
	return running
}

func (r *watching) await(t *testing.T, want string) {
	t.Helper()
	teststack.Eventually(t, func() error {
		if !strings.Contains(r.out.String(), want) {
			return fmt.Errorf("no %q in\n%s", want, r.out.String())
		}
		return nil
	})
}

func TestAPipeGetsALineForEachChange(t *testing.T) {
	w := newWorld(t)
	c := w.campaign("coats", live())
	r := w.watch()
	r.await(t, "phase=Live ready=yes units=1000 sold=410")
	c.Status.SoldUnits, c.Status.LeftUnits = 411, 469
	w.write(c)
	r.await(t, "sold=411")
	c.Status.Phase = v1alpha1.PhaseDraining
	w.write(c)
	r.await(t, "phase=Draining")
	if err := w.Client.Delete(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	r.await(t, "The campaign coats is gone.")
	if code := <-r.code; code != ExitOK {
		t.Errorf("exit code %d", code)
	}
	if lines := strings.Split(strings.TrimSpace(r.out.String()), "\n"); len(lines) != 4 {
		t.Errorf("%d lines for 3 states and an end:\n%s", len(lines), r.out.String())
	}
}

func TestJSONComesAnObjectAChange(t *testing.T) {
	w := newWorld(t)
	c := w.campaign("coats", live())
	r := w.watch("-o", "json")
	r.await(t, `"sold": 410`)
	c.Status.SoldUnits = 411
	w.write(c)
	r.await(t, `"sold": 411`)
	r.stop()
	if code := <-r.code; code != ExitOK {
		t.Errorf("exit code %d for who has seen enough", code)
	}
	stream := json.NewDecoder(strings.NewReader(r.out.String()))
	for _, want := range []int64{410, 411} {
		var v view.View
		if err := stream.Decode(&v); err != nil || v.Stock.Sold != want {
			t.Errorf("%d sold, %v, want %d", v.Stock.Sold, err, want)
		}
	}
}

func TestARecordingIsAnAsciicast(t *testing.T) {
	w := newWorld(t)
	c := w.campaign("coats", live())
	path := filepath.Join(t.TempDir(), "watch.cast")
	r := w.watch("--record", path)
	r.await(t, "410 sold")
	c.Status.SoldUnits = 411
	w.write(c)
	r.await(t, "411 sold")
	r.stop()
	<-r.code
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	var head struct{ Version, Width, Height int }
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), &head) != nil || head.Version != 2 || head.Width == 0 {
		t.Fatalf("its head is %s", lines.Text())
	}
	var drawn strings.Builder
	for lines.Scan() {
		var event [3]any
		if err := json.Unmarshal(lines.Bytes(), &event); err != nil || event[1] != "o" {
			t.Fatalf("%v: %s", err, lines.Text())
		}
		drawn.WriteString(event[2].(string))
	}
	if drawn.String() != r.out.String() {
		t.Error("what was recorded is not what was drawn")
	}
}

func TestFramesAreDrawnOverEachOther(t *testing.T) {
	var out strings.Builder
	s := &screen{out: &out, size: func() (int, int) { return 10, 4 }}
	for _, frame := range []string{"one\ntwo\n", "1\n2\n3\n4\n5\n", "a line that is too wide\n"} {
		if err := s.draw(frame); err != nil {
			t.Fatal(err)
		}
	}
	const want = "\rone\x1b[K\r\n\rtwo\x1b[K\r\n\x1b[J" +
		"\x1b[2A\r1\x1b[K\r\n\r2\x1b[K\r\n\r… 3 more l\x1b[K\r\n\x1b[J" +
		"\x1b[3A\ra line tha\x1b[K\r\n\x1b[J"
	if out.String() != want {
		t.Errorf("drawn\n%q\nwant\n%q", out.String(), want)
	}
}

func TestCompletion(t *testing.T) {
	w := newWorld(t)
	w.campaign("coats", live())
	w.campaign("shoes", inPhase(v1alpha1.PhasePreview))
	for name, tc := range map[string]struct {
		args      []string
		want, not string
	}{
		"campaigns by name":        {[]string{"pause", ""}, "coats\tLive\nshoes\tPreview", ""},
		"those that begin like it": {[]string{"get", "campaign", "sh"}, "shoes\tPreview", "coats"},
		"of simulate's flag":       {[]string{"simulate", "--campaign", "co"}, "coats\tLive", "shoes"},
		"no second name":           {[]string{"close", "coats", ""}, ":4", "shoes"},
		"commands":                 {[]string{"re"}, "resume", "close"},
		"forms":                    {[]string{"get", "campaign", "-o", ""}, "tree\njson\nyaml", ""},
		"namespaces":               {[]string{"get", "campaign", "-n", w.Namespace[:8]}, w.Namespace, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var out, complaints output
			streams := genericiooptions.IOStreams{In: strings.NewReader(""), Out: &out, ErrOut: &complaints}
			args := append([]string{"/usr/local/bin/" + completionName, "-n", w.Namespace}, tc.args...)
			if code := Run(t.Context(), args, streams); code != ExitOK {
				t.Fatalf("exit code %d: %s", code, complaints.String())
			}
			if !strings.Contains(out.String(), tc.want) || tc.not != "" && strings.Contains(out.String(), tc.not) {
				t.Errorf("it offers\n%swant %q and no %q", out.String(), tc.want, tc.not)
			}
		})
	}
}

func TestLagIsReadFromMetrics(t *testing.T) {
	const text = `# TYPE lane_applied gauge
lane_applied{otel_scope_name="lane",partition="3",topic="lanes.shared.v1"} 181204
lane_applied{otel_scope_name="lane",partition="4",topic="lanes.shared.v1"} 7
`
	for name, tc := range map[string]struct {
		text string
		lane v1alpha1.Lane
		want int64
		ok   bool
	}{
		"of its lane":                {text, v1alpha1.Lane{Topic: "lanes.shared.v1", Partition: 3}, 181_204, true},
		"not of another's":           {text, v1alpha1.Lane{Topic: "lane.5f3a"}, 0, false},
		"not of what is no exposure": {"<html>", v1alpha1.Lane{Topic: "lanes.shared.v1", Partition: 3}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got, ok := appliedIn([]byte(tc.text), &tc.lane); got != tc.want || ok != tc.ok {
				t.Errorf("got %d, %t, want %d, %t", got, ok, tc.want, tc.ok)
			}
		})
	}
	if spread(nil) != nil || *spread([]int64{5, 9, 7}) != 4 {
		t.Error("the spread of 5, 9 and 7 is 4, and of nothing is not known")
	}
}
