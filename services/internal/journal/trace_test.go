package journal_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/contrib/instrumentation/github.com/gin-gonic/gin/otelgin"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/qingcang/qingcang/proto/eventkit"
	"github.com/qingcang/qingcang/services/internal/journal"
)

// recordTelemetry installs providers that keep what they are given in memory.
func recordTelemetry(t *testing.T) (*tracetest.InMemoryExporter, *metric.ManualReader) {
	t.Helper()
	spans, reader := tracetest.NewInMemoryExporter(), metric.NewManualReader()
	tracesBefore, metersBefore := otel.GetTracerProvider(), otel.GetMeterProvider()
	otel.SetTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans)))
	otel.SetMeterProvider(metric.NewMeterProvider(metric.WithReader(reader)))
	t.Cleanup(func() {
		otel.SetTracerProvider(tracesBefore)
		otel.SetMeterProvider(metersBefore)
	})
	return spans, reader
}

// TestOneTraceLeadsFromARequestToWhatFollowsInAnotherService has two journals, the second of which
// hears what the first says.
func TestOneTraceLeadsFromARequestToWhatFollowsInAnotherService(t *testing.T) {
	spans, reader := recordTelemetry(t)
	conn, topic := shelfTopic(t)
	said, heard := open(t, journal.NewMemoryStore(), 0), open(t, journal.NewMemoryStore(), 0)

	engine := gin.New()
	engine.Use(otelgin.Middleware("said"))
	engine.POST("/sales", func(c *gin.Context) {
		if err := said.Do(c.Request.Context(), sell("key", "1", 10)); err != nil {
			t.Error(err)
		}
	})
	engine.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/sales", nil))

	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	var relay sync.WaitGroup
	relay.Go(func() {
		_ = said.Relay(conn, topic).Own(ctx, eventkit.Assignment{Topic: topic, Partition: journal.ShardOf("key")})
	})
	listen := journal.Listen(heard, slog.New(slog.DiscardHandler), func(eventkit.Position, journal.Fact) (journal.Command[*shelf], bool) {
		return sell("key", "2", 10), true
	})
	var header string
	if err := conn.Consume(ctx, eventkit.Group{ID: "heard", Topics: map[string]eventkit.Role{topic: {
		Handle: func(ctx context.Context, records []eventkit.Record) error {
			defer cancel()
			header = records[0].Event.Traceparent
			return listen.Handle(ctx, records)
		},
	}}}); err != nil {
		t.Fatal(err)
	}
	relay.Wait()

	request := spanNamed(t, spans, "POST /sales", trace.SpanContext{})
	want := request.SpanContext
	if got, wanted := header, "00-"+want.TraceID().String()+"-"+want.SpanID().String()+"-01"; got != wanted {
		t.Errorf("the event's traceparent is %s, want the request's %s", got, wanted)
	}
	consumed := spanNamed(t, spans, "process "+topic, want)
	if consumed.SpanKind != trace.SpanKindConsumer {
		t.Errorf("the consumer's span is of kind %s", consumed.SpanKind)
	}
	commits := 0
	for _, s := range spans.GetSpans() {
		if s.Name == "journal.commit" && linked(s, want) {
			commits++
		}
	}
	if commits != 2 {
		t.Errorf("%d commits are linked to the request, want that of each service", commits)
	}
	checkMeasures(t, reader)
}

func spanNamed(t *testing.T, spans *tracetest.InMemoryExporter, name string, from trace.SpanContext) tracetest.SpanStub {
	t.Helper()
	for _, s := range spans.GetSpans() {
		if s.Name == name && (!from.IsValid() || linked(s, from)) {
			return s
		}
	}
	t.Fatalf("there is no span %q that is linked to %s", name, from.TraceID())
	return tracetest.SpanStub{}
}

func linked(s tracetest.SpanStub, to trace.SpanContext) bool {
	return slices.ContainsFunc(s.Links, func(l sdktrace.Link) bool {
		return l.SpanContext.TraceID() == to.TraceID() && l.SpanContext.SpanID() == to.SpanID()
	})
}

// checkMeasures wants the metrics that dashboards are made of, without an attribute per order.
func checkMeasures(t *testing.T, reader *metric.ManualReader) {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, s := range all.ScopeMetrics {
		for _, m := range s.Metrics {
			seen[m.Name] = true
			if sum, ok := m.Data.(metricdata.Sum[int64]); ok {
				for _, point := range sum.DataPoints {
					if point.Attributes.Len() != 1 {
						t.Errorf("%s has the attributes %v", m.Name, point.Attributes.ToSlice())
					}
				}
			}
		}
	}
	for _, name := range []string{
		"journal.batches", "journal.commands", "journal.facts", "journal.queue", "journal.commit.duration",
		"eventkit.records.handled", "eventkit.produce.duration",
	} {
		if !seen[name] {
			t.Errorf("%s is not measured", name)
		}
	}
}
