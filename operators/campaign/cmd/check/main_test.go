package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestCheck(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/never" || (r.URL.Path == "/later" && asked.Add(1) == 1) {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	for name, test := range map[string]struct {
		args    []string
		timeout time.Duration
		want    string // of the error
	}{
		"what answers is ready":                     {[]string{"ready", server.URL + "/"}, time.Minute, ""},
		"what answers later is waited for":          {[]string{"ready", server.URL + "/", server.URL + "/later"}, time.Minute, ""},
		"what does not answer is named with reason": {[]string{"ready", server.URL + "/", server.URL + "/never"}, 2 * time.Second, "/never is not ready: it answered 503"},
		"ready wants a URL":                         {[]string{"ready"}, time.Minute, "usage"},
		"nothing to do is refused":                  {nil, time.Minute, "usage"},
		"an unknown word is refused":                {[]string{"topic"}, time.Minute, "usage"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), test.timeout)
			defer cancel()
			err := run(ctx, test.args, new(bytes.Buffer))
			if (err == nil) != (test.want == "") || (err != nil && !strings.Contains(err.Error(), test.want)) {
				t.Fatalf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestTopicsWantKafkasAddress(t *testing.T) {
	t.Setenv("KAFKA_BROKERS", "")
	if err := run(t.Context(), []string{"topics"}, new(bytes.Buffer)); err == nil || !strings.Contains(err.Error(), "configuration: ") || !strings.Contains(err.Error(), "KAFKA_BROKERS") {
		t.Fatal(err)
	}
}
