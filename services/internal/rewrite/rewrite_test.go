package rewrite_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/qingcang/qingcang/services/internal/rewrite"
)

func get(t *testing.T, c *http.Client, url string) (string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(r)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

func TestRequestsToARealHostReachTheSimulator(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/long":
			_, _ = io.WriteString(w, strings.Repeat("x", 1<<20+1))
		case "/full":
			_, _ = io.WriteString(w, strings.Repeat("x", 1<<20))
		case "/away":
			http.Redirect(w, r, "https://elsewhere.example/", http.StatusFound)
		default:
			_, _ = io.WriteString(w, r.Host+r.URL.RequestURI())
		}
	}))
	defer server.Close()
	client, err := rewrite.Config{SimulatorAddr: server.Listener.Addr().String()}.Client("api.mch.weixin.qq.com")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := get(t, client, "https://api.mch.weixin.qq.com/v3/pay?a=b"); err != nil || got != "api.mch.weixin.qq.com/v3/pay?a=b" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := get(t, client, server.URL); err == nil {
		t.Error("plain http was spoken to a host that is not simulated")
	}
	if got, err := get(t, client, "https://api.mch.weixin.qq.com/full"); err != nil || len(got) != 1<<20 {
		t.Errorf("a reply that just fits: %d bytes, %v", len(got), err)
	}
	if _, err := get(t, client, "https://api.mch.weixin.qq.com/long"); err == nil {
		t.Error("a reply that is too long was cut in silence")
	}
	if got, err := get(t, client, "https://api.mch.weixin.qq.com/away"); err != nil || strings.Contains(got, "elsewhere.example/v3") {
		t.Errorf("a redirect was followed: %q, %v", got, err)
	}
}

func TestWithoutASimulatorOnlyHTTPSIsSpoken(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	client, err := rewrite.Config{}.Client("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := get(t, client, server.URL); err == nil {
		t.Fatal("plain http was spoken")
	}
}

func TestADownloadMayBeLongerThanAReply(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/refused" {
			w.WriteHeader(http.StatusBadRequest)
		}
		_, _ = io.WriteString(w, strings.Repeat("x", 3<<20))
	}))
	t.Cleanup(server.Close)
	config := rewrite.Config{SimulatorAddr: server.URL}
	for name, c := range map[string]struct {
		path     string
		maxBytes int64
		fails    bool
	}{
		"one that fits is read":                     {path: "/file", maxBytes: 3 << 20},
		"one that does not is a fault":              {path: "/file", maxBytes: 3<<20 - 1, fails: true},
		"a refusal is no longer than another reply": {path: "/refused", maxBytes: 3 << 20, fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			client, err := config.Downloads(time.Minute, c.maxBytes, "api.example")
			if err != nil {
				t.Fatal(err)
			}
			if got, err := get(t, client, "https://api.example"+c.path); (err != nil) != c.fails {
				t.Fatalf("got %d bytes, %v", len(got), err)
			}
		})
	}
}
