package wechatlogin_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/rewrite"
	"github.com/qingcang/qingcang/services/store-owner/internal/wechatlogin"
)

const secret = "the-account-secret"

func newClient(t *testing.T, handler http.Handler) (*wechatlogin.Client, *httptest.Server) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	client, err := wechatlogin.New(wechatlogin.Config{AppID: "wx1", SecretFile: path}, rewrite.Config{SimulatorAddr: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	return client, server
}

func TestExchangingACode(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		answer string
		want   string
		kind   fault.Kind
		code   string
	}{
		"a good code gives the openid":               {status: 200, answer: `{"openid":"oX","access_token":"T","scope":"snsapi_base"}`, want: "oX"},
		"a code that is not WeChat's is refused":     {status: 200, answer: `{"errcode":40029,"errmsg":"invalid code"}`, kind: fault.Unauthenticated, code: "bad_login_code"},
		"a code that was used before is refused":     {status: 200, answer: `{"errcode":40163,"errmsg":"code been used"}`, kind: fault.Unauthenticated, code: "bad_login_code"},
		"a busy WeChat is worth another try":         {status: 200, answer: `{"errcode":-1,"errmsg":"system busy"}`, kind: fault.Unavailable, code: "login_unavailable"},
		"a wrong secret is our fault":                {status: 200, answer: `{"errcode":40125,"errmsg":"invalid appsecret"}`, kind: fault.Internal},
		"an answer without an openid is no log-in":   {status: 200, answer: `{}`, kind: fault.Unavailable, code: "login_unavailable"},
		"an openid without end is no log-in":         {status: 200, answer: `{"openid":"` + strings.Repeat("o", 65) + `"}`, kind: fault.Unavailable, code: "login_unavailable"},
		"an answer that is not JSON is no log-in":    {status: 200, answer: `<html>`, kind: fault.Unavailable, code: "login_unavailable"},
		"an answer without end is no log-in":         {status: 200, answer: `{"openid":"` + strings.Repeat(" ", 2<<20), kind: fault.Unavailable, code: "login_unavailable"},
		"a redirect is not followed with our secret": {status: 302, kind: fault.Unavailable, code: "login_unavailable"},
		"an error of the server is worth a try":      {status: 502, kind: fault.Unavailable, code: "login_unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			client, _ := newClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				q := r.URL.Query()
				if r.Host != wechatlogin.Host || q.Get("appid") != "wx1" || q.Get("secret") != secret || q.Get("code") != "c&d" || q.Get("grant_type") != "authorization_code" {
					t.Errorf("asked %s at %s", r.URL, r.Host)
				}
				w.Header().Set("Location", "https://elsewhere.example/")
				w.WriteHeader(test.status)
				_, _ = w.Write([]byte(test.answer))
			}))
			got, err := client.Exchange(t.Context(), "c&d")
			if test.want != "" {
				if err != nil || got != test.want {
					t.Fatalf("got %q, %v; want %q", got, err, test.want)
				}
				return
			}
			if err == nil || fault.KindOf(err) != test.kind {
				t.Fatalf("got %v, want the kind %s", err, test.kind)
			}
			if f, ok := fault.As(err); ok && f.Code != test.code {
				t.Fatalf("got the code %s, want %s", f.Code, test.code)
			}
		})
	}
}

func TestAnErrorDoesNotQuoteTheSecretOrTheCode(t *testing.T) {
	client, server := newClient(t, http.NotFoundHandler())
	server.Close()
	_, err := client.Exchange(t.Context(), "the-login-code")
	if err == nil || fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("got %v, want a fault of the kind unavailable", err)
	}
	for _, private := range []string{secret, "the-login-code"} {
		if strings.Contains(err.Error(), private) {
			t.Errorf("%q quotes %q", err, private)
		}
	}
}

func TestASlowWeChatIsGivenUpOn(t *testing.T) {
	release := make(chan struct{})
	client, _ := newClient(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(func() { close(release) })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := client.Exchange(ctx, "c"); err == nil || fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("got %v, want a fault of the kind unavailable", err)
	}
}
