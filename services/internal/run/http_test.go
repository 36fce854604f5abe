package run

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestARequestInFlightIsFinishedBeforeTheServerStops(t *testing.T) {
	defer goleak.VerifyNone(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	arrived, release := make(chan struct{}), make(chan struct{})
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() {
		served <- HTTPListener(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			close(arrived)
			<-release
			if r.Context().Err() == nil {
				_, _ = io.WriteString(w, "done")
			}
		}))(ctx)
	}()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	answer := make(chan string, 1)
	go func() {
		resp, err := client.Get("http://" + l.Addr().String())
		if err != nil {
			answer <- err.Error()
			return
		}
		defer func() { _ = resp.Body.Close() }()
		body, _ := io.ReadAll(resp.Body)
		answer <- string(body)
	}()
	<-arrived
	stop()
	close(release)
	if got := <-answer; got != "done" {
		t.Fatalf("the request got %q", got)
	}
	if err := <-served; err != nil {
		t.Fatal(err)
	}
}

func TestAPortThatIsTakenIsAnErrorOfTheService(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if err := HTTPServer(l.Addr().String(), http.NotFoundHandler())(t.Context()); err == nil {
		t.Fatal("two servers listen on one port")
	}
}

func TestProbes(t *testing.T) {
	down := errors.New("no primary")
	probes := Probes(map[string]func(*http.Request) error{
		"kafka":   func(*http.Request) error { return nil },
		"mongodb": func(*http.Request) error { return down },
	})
	for name, c := range map[string]struct {
		path   string
		status int
		want   string
	}{
		"the process lives though a dependency is down": {"/livez", 200, "ok"},
		"it is not ready":            {"/readyz", 500, "[-]mongodb failed"},
		"every check is listed":      {"/readyz?verbose", 500, "[+]kafka ok"},
		"one check tells its reason": {"/readyz/mongodb", 500, "no primary"},
		"a check may be left out":    {"/readyz?exclude=mongodb", 200, "ok"},
		"an unknown check":           {"/readyz/redis", 404, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			probes.ServeHTTP(w, httptest.NewRequest(http.MethodGet, c.path, nil))
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
				t.Fatalf("got %d %s", w.Code, w.Body)
			}
		})
	}
}
