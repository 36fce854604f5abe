package cli

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/qingcang/qingcang/operators/campaign/internal/teststack"
)

// road leads to the world's API server and can be closed: then nobody listens at its address.
type road struct {
	t       *testing.T
	through *httputil.ReverseProxy
	address string
	server  *httptest.Server
}

func (w *world) road() *road {
	w.t.Helper()
	to, _, err := rest.DefaultServerUrlFor(w.REST)
	if err != nil {
		w.t.Fatal(err)
	}
	transport, err := rest.TransportFor(w.REST)
	if err != nil {
		w.t.Fatal(err)
	}
	r := &road{t: w.t, address: "127.0.0.1:0", through: &httputil.ReverseProxy{
		Rewrite:       func(p *httputil.ProxyRequest) { p.SetURL(&url.URL{Scheme: to.Scheme, Host: to.Host}) },
		Transport:     transport,
		FlushInterval: -1, // a watch says little at a time
	}}
	r.open()
	w.t.Cleanup(r.close)
	return r
}

func (r *road) open() {
	r.t.Helper()
	var listen net.ListenConfig
	listener, err := listen.Listen(r.t.Context(), "tcp", r.address)
	if err != nil {
		r.t.Fatal(err)
	}
	r.address = listener.Addr().String()
	r.server = httptest.NewUnstartedServer(r.through)
	_ = r.server.Listener.Close() // it has brought one
	r.server.Listener = listener
	r.server.Start()
}

func (r *road) close() {
	r.server.CloseClientConnections()
	r.server.Close()
}

// kubeconfig is a file that leads over the road.
func (r *road) kubeconfig() string {
	r.t.Helper()
	config := clientcmdapi.NewConfig()
	config.Clusters["away"] = &clientcmdapi.Cluster{Server: "http://" + r.address}
	config.Contexts["away"] = &clientcmdapi.Context{Cluster: "away"}
	config.CurrentContext = "away"
	path := filepath.Join(r.t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		r.t.Fatal(err)
	}
	return path
}

func TestAWatchOutlivesTheAPIServersAbsence(t *testing.T) {
	w := newWorld(t)
	c := w.campaign("coats", live())
	way := w.road()
	r := w.watch("--kubeconfig", way.kubeconfig())
	r.await(t, "sold=410")

	way.close()
	r.await(t, `fault="cannot be read:`)
	c.Status.SoldUnits = 411 // while nobody can see it
	w.write(c)

	way.open()
	r.await(t, "sold=411")
	r.stop()
	if code := <-r.code; code != ExitOK {
		t.Errorf("exit code %d", code)
	}
}

func TestNoAPIServerIsSaid(t *testing.T) {
	w := newWorld(t)
	way := w.road()
	config := way.kubeconfig()
	way.close()
	got := w.run("get", "campaigns", "--kubeconfig", config)
	if got.code != ExitFailed || !strings.Contains(got.err, "nobody answers where the API server should be") {
		t.Errorf("%+v", got)
	}
}

// bare is an API server that knows no group but the core one.
func bare(answer http.ResponseWriter, request *http.Request) {
	answer.Header().Set("Content-Type", "application/json")
	switch request.URL.Path {
	case "/api":
		_, _ = io.WriteString(answer, `{"kind":"APIVersions","versions":["v1"]}`)
	case "/apis":
		_, _ = io.WriteString(answer, `{"kind":"APIGroupList","apiVersion":"v1","groups":[]}`)
	default:
		answer.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(answer, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}`)
	}
}

func TestAClusterWithoutQingcangIsSaid(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(bare))
	t.Cleanup(server.Close)
	way := &road{t: t, address: server.Listener.Addr().String()}
	w := &world{Stack: &teststack.Stack{Namespace: "any"}, t: t}
	for _, args := range [][]string{{"get", "campaigns"}, {"get", "campaign", "coats"}, {"pause", "coats"}} {
		got := w.run(append(args, "--kubeconfig", way.kubeconfig())...)
		if got.code != ExitFailed || !strings.Contains(got.err, "this cluster does not know campaigns: install Qingcang's CRDs") {
			t.Errorf("%v: %+v", args, got)
		}
	}
}
