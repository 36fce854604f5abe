package httpkit_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/qingcang/qingcang/services/internal/auth"
	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/httpkit"
)

var errSoldOut = fault.New(fault.Conflict, "sold_out", "nothing is left")

// openDirect opens a door whose orders are served by serve.
func openDirect(t *testing.T, serve httpkit.Direct) door {
	t.Helper()
	return open(t, func(o *httpkit.Options) {
		o.Direct = map[string]httpkit.Direct{"placeOrder": serve}
		o.Timeout = time.Minute
	})
}

func TestAnOperationThatIsServedDirectly(t *testing.T) {
	prepared, err := httpkit.Prepare(errSoldOut)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		serve   httpkit.Direct
		body    string
		headers []string
		status  int
		code    string
	}{
		"answers": {func(_ context.Context, call *httpkit.Call) error {
			if call.Principal.ID != "x" || !call.Known || call.Param("id") != "" {
				t.Errorf("it knows %v", call.Principal)
			}
			return call.JSON(http.StatusCreated, []byte(`{}`))
		}, goodOne, buyer, 201, ""},
		"does not see who has no credentials": {func(context.Context, *httpkit.Call) error { t.Error("it was served"); return nil }, goodOne, nil, 401, "no_credentials"},
		"fails":                               {func(context.Context, *httpkit.Call) error { return errSoldOut }, goodOne, buyer, 409, "sold_out"},
		"fails with what is ready":            {func(ctx context.Context, call *httpkit.Call) error { return call.Problem(ctx, prepared) }, goodOne, buyer, 409, "sold_out"},
		"fails for reasons of its own":        {func(context.Context, *httpkit.Call) error { return errors.New("phone 13800000000") }, goodOne, buyer, 500, "internal"},
		"panics":                              {func(context.Context, *httpkit.Call) error { panic("phone 13800000000") }, goodOne, buyer, 500, "internal"},
		"has the contract find the faults":    {func(_ context.Context, call *httpkit.Call) error { return refuse(call) }, `{"campaignUid":7}`, buyer, 400, "request_invalid"},
		"refuses what the contract allows":    {func(_ context.Context, call *httpkit.Call) error { return refuse(call) }, goodOne, buyer, 400, "request_unreadable"},
		"refuses a name that comes twice":     {func(_ context.Context, call *httpkit.Call) error { return refuse(call) }, `{"a":1,"a":1}`, buyer, 400, "request_invalid"},
		"does not read another type":          {func(_ context.Context, call *httpkit.Call) error { return refuse(call) }, goodOne, append(buyer[:4:4], "Content-Type", "text/csv"), 415, "media_type_not_accepted"},
		"does not read too long a body":       {func(_ context.Context, call *httpkit.Call) error { return refuse(call) }, strings.Repeat(" ", 5<<10), buyer, 413, "body_too_large"},
	} {
		t.Run(name, func(t *testing.T) {
			w, p := openDirect(t, c.serve).ask("POST", "/v1/orders", c.body, c.headers...)
			if w.Code != c.status || p.Code != c.code || strings.Contains(w.Body.String(), "13800000000") {
				t.Fatalf("got %d %s, want %d %s", w.Code, w.Body, c.status, c.code)
			}
		})
	}
}

func refuse(call *httpkit.Call) error {
	body, err := call.Body()
	if err != nil {
		return err
	}
	return call.Refuse(body)
}

// A body without a length is read and bounded like any other.
func TestABodyThatComesInChunks(t *testing.T) {
	var got string
	d := openDirect(t, func(_ context.Context, call *httpkit.Call) error {
		body, err := call.Body()
		got = string(body)
		return err
	})
	for body, want := range map[string]int{goodOne: 200, strings.Repeat(" ", 5<<10): 413} {
		r := httptest.NewRequest(http.MethodPost, "/v1/orders", io.MultiReader(strings.NewReader(body)))
		for i := 0; i < len(buyer); i += 2 {
			r.Header.Set(buyer[i], buyer[i+1])
		}
		w := httptest.NewRecorder()
		d.ServeHTTP(w, r)
		if w.Code != want || (want == 200 && got != body) {
			t.Errorf("got %d and read %q, want %d", w.Code, got, want)
		}
	}
}

func TestAPreparedProblemIsAnyOther(t *testing.T) {
	otel.SetTracerProvider(sdktrace.NewTracerProvider())
	otel.SetTextMapPropagator(propagation.TraceContext{})
	prepared, err := httpkit.Prepare(errSoldOut)
	if err != nil {
		t.Fatal(err)
	}
	answer := func(serve httpkit.Direct) *httptest.ResponseRecorder {
		w, _ := openDirect(t, serve).ask("POST", "/v1/orders", goodOne, append(buyer[:6:6], "Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")...)
		return w
	}
	got := answer(func(ctx context.Context, call *httpkit.Call) error { return call.Problem(ctx, prepared) })
	want := answer(func(context.Context, *httpkit.Call) error { return errSoldOut })
	if got.Code != want.Code || got.Body.String() != want.Body.String() || got.Header().Get("Content-Type") != want.Header().Get("Content-Type") {
		t.Fatalf("got  %d %v %s\nwant %d %v %s", got.Code, got.Header(), got.Body, want.Code, want.Header(), want.Body)
	}
}

func TestTheDeadlineOfADirectCallIsThatOfTheDoor(t *testing.T) {
	d := openDirect(t, func(ctx context.Context, _ *httpkit.Call) error {
		deadline, ok := ctx.Deadline()
		if left := time.Until(deadline); !ok || left > time.Minute || left < time.Minute-time.Second {
			t.Errorf("it has %s", left)
		}
		return nil
	})
	for range 3 {
		d.ask("POST", "/v1/orders", goodOne, buyer...)
	}
	slow := open(t, func(o *httpkit.Options) {
		o.Timeout = 20 * time.Millisecond
		o.Direct = map[string]httpkit.Direct{"placeOrder": func(ctx context.Context, _ *httpkit.Call) error {
			<-ctx.Done()
			return ctx.Err()
		}}
	})
	if w, p := slow.ask("POST", "/v1/orders", goodOne, buyer...); w.Code != http.StatusGatewayTimeout || p.Code != "timeout" {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestADirectCallIsTracedAndMeasuredOnce(t *testing.T) {
	spans, reader := tracetest.NewSpanRecorder(), sdkmetric.NewManualReader()
	otel.SetTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)))
	otel.SetTextMapPropagator(propagation.TraceContext{})
	otel.SetMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader)))
	d := openDirect(t, func(_ context.Context, call *httpkit.Call) error { return call.JSON(http.StatusCreated, []byte("{}")) })
	d.ask("POST", "/v1/orders", goodOne, append(buyer[:6:6], "Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")...)
	ended := spans.Ended()
	if len(ended) != 1 || ended[0].Name() != "POST /v1/orders" || ended[0].Parent().TraceID().String() != "0af7651916cd43dd8448eb211c80319c" {
		t.Errorf("spans: %v", ended)
	}
	var metrics metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &metrics); err != nil {
		t.Fatal(err)
	}
	var counted uint64
	for _, s := range metrics.ScopeMetrics {
		for _, m := range s.Metrics {
			durations, ok := m.Data.(metricdata.Histogram[float64])
			if !ok || m.Name != "http.server.request.duration" {
				continue
			}
			for _, point := range durations.DataPoints {
				route, _ := point.Attributes.Value("http.route")
				status, _ := point.Attributes.Value("http.response.status_code")
				if route.AsString() != "/v1/orders" || status.AsInt64() != http.StatusCreated {
					t.Errorf("attributes: %v", point.Attributes)
				}
				counted += point.Count
			}
		}
	}
	if counted != 1 {
		t.Errorf("measured %d times", counted)
	}
}

func TestADirectOperationThatTheContractLacksIsRefusedAtTheStart(t *testing.T) {
	allow := func(*http.Request) (auth.Principal, error) { return auth.Principal{}, nil }
	_, err := httpkit.New(httpkit.Options{
		Spec: []byte(spec), Auth: httpkit.Authenticators{"buyerToken": allow, "staffToken": allow},
		Direct: map[string]httpkit.Direct{"placeOrders": func(context.Context, *httpkit.Call) error { return nil }},
	})
	if err == nil {
		t.Fatal("it was accepted")
	}
}

// BenchmarkADirectOrderThroughTheDoor is BenchmarkAnOrderThroughTheDoor without the validator.
func BenchmarkADirectOrderThroughTheDoor(b *testing.B) {
	allow := func(*http.Request) (auth.Principal, error) { return auth.Principal{Kind: auth.Buyer, ID: "b"}, nil }
	engine, err := httpkit.New(httpkit.Options{
		Service: "bench", Spec: []byte(spec), Auth: httpkit.Authenticators{"buyerToken": allow, "staffToken": allow},
		Direct: map[string]httpkit.Direct{"placeOrder": func(_ context.Context, call *httpkit.Call) error {
			if _, err := call.Body(); err != nil {
				return err
			}
			return call.JSON(http.StatusCreated, []byte("{}"))
		}},
	})
	if err != nil {
		b.Fatal(err)
	}
	engine.POST("/v1/orders", func(*gin.Context) {})
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, "/v1/orders", strings.NewReader(goodOne))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		engine.ServeHTTP(w, r)
		if w.Code != http.StatusCreated {
			b.Fatal(w.Body.String())
		}
	}
}
