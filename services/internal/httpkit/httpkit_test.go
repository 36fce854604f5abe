package httpkit_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/httpkit"
	"github.com/qingcang/qingcang/services/internal/ids"
)

// bearers knows three tokens: "good" is a buyer, "staff" has a role, and at
// "down" the verifier cannot answer.
func bearers(kind string) func(*http.Request) (auth.Principal, error) {
	return func(r *http.Request) (auth.Principal, error) {
		token, err := auth.Bearer(r)
		if err != nil {
			return auth.Principal{}, err
		}
		switch token {
		case "good":
			return auth.Principal{Kind: kind, ID: "x"}, nil
		case "staff":
			return auth.Principal{Kind: kind, ID: "s", Roles: []string{"operations"}}, nil
		case "down":
			return auth.Principal{}, fault.New(fault.Unavailable, "issuer_down", "later").RetryAfter(5)
		}
		return auth.Principal{}, auth.ErrBadToken
	}
}

type door struct {
	http.Handler
	log *bytes.Buffer
}

func open(t *testing.T, change func(*httpkit.Options)) door {
	t.Helper()
	log := &bytes.Buffer{}
	o := httpkit.Options{
		Service: "shop", Spec: []byte(spec), MaxBodyBytes: 4 << 10, MaxStreamBytes: 16 << 10,
		Auth:   httpkit.Authenticators{"buyerToken": bearers(auth.Buyer), "staffToken": bearers(auth.Staff)},
		Probes: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "alive") }),
		Log:    slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelInfo})),
	}
	if change != nil {
		change(&o)
	}
	engine, err := httpkit.New(o)
	if err != nil {
		t.Fatal(err)
	}
	engine.POST("/v1/orders", func(c *gin.Context) {
		var order struct{ CampaignUID string }
		if err := json.NewDecoder(c.Request.Body).Decode(&order); err != nil {
			httpkit.RequestError(c, err)
			return
		}
		p, _ := auth.PrincipalFrom(c) // through gin's context, as strict handlers get it
		if httpkit.BodyHash(c) != ids.BodyHash([]byte(goodOne)) {
			t.Error("the handler does not know the hash of the body")
		}
		c.JSON(http.StatusCreated, gin.H{"buyer": p.ID})
	})
	engine.GET("/v1/orders/:id", func(c *gin.Context) { c.JSON(http.StatusOK, gin.H{"limit": c.Query("limit")}) })
	engine.GET("/v1/campaigns", func(c *gin.Context) { panic("phone 13800000000") })
	engine.GET("/v1/shares/:token", func(c *gin.Context) {
		_, known := auth.PrincipalFrom(c)
		c.JSON(http.StatusOK, gin.H{"known": known})
	})
	engine.POST("/v1/brands/:id/approval", func(c *gin.Context) { c.Status(http.StatusNoContent) })
	engine.POST("/v1/submissions", func(c *gin.Context) {
		n, err := io.Copy(io.Discard, c.Request.Body)
		if err != nil {
			httpkit.HandlerError(c, err)
			return
		}
		c.JSON(http.StatusCreated, gin.H{"bytes": n})
	})
	engine.GET("/not-in-the-contract", func(c *gin.Context) { c.Status(http.StatusOK) })
	return door{engine, log}
}

func (d door) ask(method, path, body string, headers ...string) (*httptest.ResponseRecorder, httpkit.Problem) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	var p httpkit.Problem
	if w.Header().Get("Content-Type") == "application/problem+json" {
		_ = json.Unmarshal(w.Body.Bytes(), &p)
	}
	return w, p
}

var (
	buyer   = []string{"Authorization", "Bearer good", "Idempotency-Key", "abcdefgh", "Content-Type", "application/json"}
	goodOne = `{"campaignUid":"c","note":null,"lines":[{"sku":"a","units":1}]}`
)

func TestTheDoorLetsInWhatTheContractAllows(t *testing.T) {
	d := open(t, nil)
	for name, c := range map[string]struct {
		method, path, body string
		headers            []string
		want               string
	}{
		"an order, whose handler knows the buyer":      {"POST", "/v1/orders", goodOne, buyer, `{"buyer":"x"}`},
		"a missing parameter gets its default":         {"GET", "/v1/orders/ord_1", "", buyer, `{"limit":"20"}`},
		"nobody may look at a share":                   {"GET", "/v1/shares/t", "", nil, `{"known":false}`},
		"a buyer who looks at a share is known":        {"GET", "/v1/shares/t", "", []string{"Authorization", "Bearer good"}, `{"known":true}`},
		"a long stream passes without being validated": {"POST", "/v1/submissions", strings.Repeat("a,b\n", 3000), []string{"Content-Type", "text/csv; charset=gbk"}, `{"bytes":12000}`},
		"probes need no credentials":                   {"GET", "/readyz/mongodb", "", nil, "alive"},
	} {
		t.Run(name, func(t *testing.T) {
			w, _ := d.ask(c.method, c.path, c.body, c.headers...)
			if w.Code >= 300 || w.Body.String() != c.want {
				t.Fatalf("got %d %s, want %s", w.Code, w.Body, c.want)
			}
		})
	}
	if d.log.Len() != 0 {
		t.Fatalf("good requests were logged: %s", d.log)
	}
}

func TestTheDoorRefusesWithAProblem(t *testing.T) {
	long := strings.Repeat("x", 5<<10)
	with := func(token string) []string { return []string{"Authorization", "Bearer " + token} }
	d := open(t, nil)
	for name, c := range map[string]struct {
		method, path, body string
		headers            []string
		status             int
		code               string
	}{
		"an order without credentials":              {"POST", "/v1/orders", goodOne, nil, 401, "no_credentials"},
		"an order with a bad token":                 {"POST", "/v1/orders", goodOne, with("bad"), 401, "bad_token"},
		"a bad token where none is needed":          {"GET", "/v1/shares/t", "", with("bad"), 401, "bad_token"},
		"staff without the role":                    {"POST", "/v1/brands/b/approval", "", with("good"), 403, "role_missing"},
		"a verifier that is down":                   {"POST", "/v1/brands/b/approval", "", with("down"), 503, "issuer_down"},
		"a path that is not there":                  {"GET", "/v1/nothing", "", nil, 404, "no_such_route"},
		"a method that the path lacks":              {"DELETE", "/v1/orders", "", nil, 405, "method_not_allowed"},
		"a body of another type":                    {"POST", "/v1/orders", goodOne, append(with("good"), "Idempotency-Key", "abcdefgh", "Content-Type", "text/xml"), 415, "media_type_not_accepted"},
		"a body without a type":                     {"POST", "/v1/orders", goodOne, append(with("good"), "Idempotency-Key", "abcdefgh"), 415, "media_type_not_accepted"},
		"a body that is too large":                  {"POST", "/v1/orders", `{"campaignUid":"` + long + `"}`, buyer, 413, "body_too_large"},
		"a stream that is too large":                {"POST", "/v1/submissions", strings.Repeat(long, 4), []string{"Content-Type", "text/csv"}, 413, "body_too_large"},
		"a body that is not JSON":                   {"POST", "/v1/orders", `{"campaignUid":`, buyer, 400, "request_invalid"},
		"a body with something after the JSON":      {"POST", "/v1/orders", goodOne + "}", buyer, 400, "request_invalid"},
		"a handler that panics":                     {"GET", "/v1/campaigns", "", nil, 500, "internal"},
		"a handler that the contract does not have": {"GET", "/not-in-the-contract", "", nil, 500, "internal"},
	} {
		t.Run(name, func(t *testing.T) {
			w, p := d.ask(c.method, c.path, c.body, c.headers...)
			if w.Code != c.status || p.Code != c.code || p.Status != c.status || p.Title != http.StatusText(c.status) {
				t.Fatalf("got %d %s, want %d %s", w.Code, w.Body, c.status, c.code)
			}
			if strings.Contains(w.Body.String(), "13800000000") {
				t.Fatalf("the reply tells what went wrong inside: %s", w.Body)
			}
			if w.Code == http.StatusServiceUnavailable && w.Header().Get("Retry-After") != "5" {
				t.Fatal("Retry-After is missing")
			}
		})
	}
}

func TestAllFaultsComeInOneReplyWithoutTheValues(t *testing.T) {
	d := open(t, nil)
	w, p := d.ask("POST", "/v1/orders",
		`{"campaignUid":7,"phone":"13800000000","lines":[{"sku":"","units":0},{"sku":"b","units":1000},{"units":1}]}`,
		"Authorization", "Bearer good", "Idempotency-Key", "short", "Content-Type", "application/json")
	if w.Code != http.StatusBadRequest || p.Code != "request_invalid" {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	got := map[string]bool{}
	for _, e := range p.Errors {
		got[e.Pointer] = true
	}
	want := map[string]bool{
		"header:Idempotency-Key": true, "/campaignUid": true, "": true, "/lines/0/sku": true,
		"/lines/0/units": true, "/lines/1/units": true, "/lines/2/sku": true,
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got %v, want %v: %s", got, want, w.Body)
	}
	if strings.Contains(w.Body.String(), "13800000000") {
		t.Fatalf("the reply repeats what was sent: %s", w.Body)
	}
}

func TestOnlyOurOwnFaultsAreLoggedAsErrors(t *testing.T) {
	d := open(t, nil)
	d.ask("GET", "/v1/nothing", "")
	if d.log.Len() != 0 {
		t.Fatalf("a 404 was logged: %s", d.log)
	}
	d.ask("GET", "/v1/campaigns", "")
	if !strings.Contains(d.log.String(), `"level":"ERROR"`) || !strings.Contains(d.log.String(), "panic") {
		t.Fatalf("a panic was not logged: %s", d.log)
	}
}

func TestAProblemCarriesTheTraceOfItsCaller(t *testing.T) {
	otel.SetTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample())))
	otel.SetTextMapPropagator(propagation.TraceContext{})
	d := open(t, nil)
	const trace = "0af7651916cd43dd8448eb211c80319c"
	_, p := d.ask("GET", "/v1/orders/ord_1", "", "Traceparent", "00-"+trace+"-b7ad6b7169203331-01")
	if p.TraceID != trace {
		t.Fatalf("got trace id %q", p.TraceID)
	}
}

func TestAKindBecomesAStatus(t *testing.T) {
	for kind := fault.Internal; kind <= fault.Timeout; kind++ {
		status := httpkit.Status(kind)
		if http.StatusText(status) == "" || (status == 500) != (kind == fault.Internal) {
			t.Errorf("%s became %d", kind, status)
		}
	}
	if httpkit.Status(200) != http.StatusInternalServerError {
		t.Error("an unknown kind is not a 500")
	}
}

func TestAContractThatCannotBeKeptIsRefusedAtTheStart(t *testing.T) {
	all := httpkit.Authenticators{"buyerToken": bearers(auth.Buyer), "staffToken": bearers(auth.Staff)}
	for name, o := range map[string]httpkit.Options{
		"no document":                 {Auth: all},
		"a scheme without a verifier": {Spec: []byte(spec), Auth: httpkit.Authenticators{"buyerToken": bearers(auth.Buyer)}},
		"a keyword that is not validated": {
			Spec: []byte(strings.Replace(spec, "maxLength: 64}", "maxLength: 64, const: c}", 1)), Auth: all,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := httpkit.New(o); err == nil {
				t.Fatal("it was accepted")
			}
		})
	}
}

func TestAPageOutsideTheContractIsServedAndItsErrorsTellNothing(t *testing.T) {
	d := open(t, func(o *httpkit.Options) { o.Pages = []string{"/s/"} })
	engine, ok := d.Handler.(*gin.Engine)
	if !ok {
		t.Fatal("not an engine")
	}
	engine.GET("/s/broken", func(c *gin.Context) { httpkit.HandlerError(c, errors.New("dial tcp 10.0.0.1")) })
	w, p := d.ask("GET", "/s/broken", "")
	if w.Code != http.StatusInternalServerError || p.Code != "internal" || strings.Contains(w.Body.String(), "10.0.0.1") {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
	if !strings.Contains(d.log.String(), "10.0.0.1") {
		t.Fatalf("the log does not say why: %s", d.log)
	}
}
