package main

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// replica answers with its name and the body that it got.
func replica(t *testing.T, name string) (host string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		fmt.Fprintf(w, "%s %s %s", name, r.Method, body)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// dead is an address on which nothing listens.
func dead(t *testing.T) (host string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func front(t *testing.T, hosts ...string) (url string) {
	t.Helper()
	proxy := httptest.NewServer(newProxy(slog.New(slog.DiscardHandler), hosts))
	t.Cleanup(proxy.Close)
	return proxy.URL
}

func post(t *testing.T, url, body string) (status int, answer string) {
	t.Helper()
	response, err := http.Post(url, "text/plain", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func TestEveryReplicaHasItsTurn(t *testing.T) {
	url := front(t, replica(t, "a"), replica(t, "b"))
	got := map[string]int{}
	for range 10 {
		_, answer := post(t, url, "x")
		got[answer]++
	}
	if got["a POST x"] != 5 || got["b POST x"] != 5 {
		t.Errorf("answers %v, want 5 of each", got)
	}
}

func TestARequestGoesPastADeadReplicaWithItsBody(t *testing.T) {
	url := front(t, dead(t), replica(t, "b"))
	body := strings.Repeat("order ", 1<<20)
	for range 4 {
		if status, answer := post(t, url, body); status != http.StatusOK || answer != "b POST "+body {
			t.Fatalf("status %d with %d bytes, want 200 from b with the whole body", status, len(answer))
		}
	}
}

func TestWithoutReplicasTheCallerIsToldToRepeat(t *testing.T) {
	url := front(t, dead(t), dead(t))
	status, answer := post(t, url, "x")
	if status != http.StatusBadGateway || !strings.Contains(answer, "no_replica") {
		t.Errorf("status %d, %s; want 502 with code no_replica", status, answer)
	}
}

func TestAnAnswerIsNeverAskedForTwice(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked++
		panic(http.ErrAbortHandler) // as a replica killed in the middle of an answer
	}))
	t.Cleanup(server.Close)
	host := strings.TrimPrefix(server.URL, "http://")
	if status, _ := post(t, front(t, host, host), "x"); status != http.StatusBadGateway || asked != 1 {
		t.Errorf("status %d after %d requests, want 502 after one", status, asked)
	}
}

func TestReplicaHosts(t *testing.T) {
	tests := map[string]struct {
		urls    []string
		want    []string
		wantErr bool
	}{
		"base URLs are taken":        {urls: []string{"http://127.0.0.1:1", "http://127.0.0.1:2/"}, want: []string{"127.0.0.1:1", "127.0.0.1:2"}},
		"no replica is refused":      {wantErr: true},
		"an address is not a URL":    {urls: []string{"127.0.0.1:1"}, wantErr: true},
		"a path cannot be kept":      {urls: []string{"http://127.0.0.1:1/v1"}, wantErr: true},
		"the wire here is not https": {urls: []string{"https://127.0.0.1:1"}, wantErr: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := replicaHosts(test.urls)
			if (err != nil) != test.wantErr || !slices.Equal(got, test.want) {
				t.Errorf("got %v, %v; want %v, error %t", got, err, test.want, test.wantErr)
			}
		})
	}
}
