package httpkit_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/httpkit"
)

// The door stands on the purchase path: what it costs is part of every order.
func BenchmarkAnOrderThroughTheDoor(b *testing.B) {
	allow := func(*http.Request) (auth.Principal, error) { return auth.Principal{Kind: auth.Buyer, ID: "b"}, nil }
	engine, err := httpkit.New(httpkit.Options{
		Service: "bench", Spec: []byte(spec), Log: slog.New(slog.DiscardHandler),
		Auth: httpkit.Authenticators{"buyerToken": allow, "staffToken": allow},
	})
	if err != nil {
		b.Fatal(err)
	}
	engine.POST("/v1/orders", func(c *gin.Context) { c.Status(http.StatusCreated) })
	body := `{"campaignUid":"c","lines":[{"sku":"a","units":1},{"sku":"b","units":2}]}`
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, "/v1/orders", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", "abcdefgh")
		w := httptest.NewRecorder()
		engine.ServeHTTP(w, r)
		if w.Code != http.StatusCreated {
			b.Fatal(w.Body.String())
		}
	}
}
