package telemetry

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"
)

type address struct{ Province, Phone string }

type token string

func (token) LogValue() slog.Value { return slog.GroupValue(slog.String("phone", "13800000000")) }

func TestWhatIsPersonalOrSecretIsNeverWritten(t *testing.T) {
	const secret = "13800000000"
	for name, log := range map[string]func(*slog.Logger){
		"an attribute":             func(l *slog.Logger) { l.Info("m", "phone", secret) },
		"in another spelling":      func(l *slog.Logger) { l.Info("m", "Payer_OpenID", secret) },
		"as a header":              func(l *slog.Logger) { l.Info("m", "Set-Cookie", secret) },
		"a number":                 func(l *slog.Logger) { l.Info("m", "phone", 13800000000) },
		"a group":                  func(l *slog.Logger) { l.Info("m", slog.Group("address", "street", secret)) },
		"within a group":           func(l *slog.Logger) { l.Info("m", slog.Group("buyer", "phone", secret)) },
		"a field of a struct":      func(l *slog.Logger) { l.Info("m", "to", address{"Zhejiang", secret}) },
		"a field behind a pointer": func(l *slog.Logger) { l.Info("m", "to", &address{"Zhejiang", secret}) },
		"in a map":                 func(l *slog.Logger) { l.Info("m", "to", map[string]any{"phone": secret}) },
		"in a list":                func(l *slog.Logger) { l.Info("m", "to", []address{{"Zhejiang", secret}}) },
		"behind a LogValuer":       func(l *slog.Logger) { l.Info("m", "who", token("x")) },
		"bound to the logger":      func(l *slog.Logger) { l.With("phone", secret).WithGroup("g").Info("m") },
		"after a group":            func(l *slog.Logger) { l.WithGroup("g").Info("m", "phone", secret) },
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			log(slog.New(redact(slog.NewJSONHandler(&out, nil))))
			if out.Len() == 0 || strings.Contains(out.String(), secret) {
				t.Fatalf("wrote %s", &out)
			}
		})
	}
}

func TestWhatIsNeitherIsWrittenAsItIs(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(redact(slog.NewJSONHandler(&out, nil)))
	log.Info("m", "order", "ord_1", "units", 3, "err", errors.New("no primary"), "part", address{Province: "Zhejiang"})
	for _, want := range []string{`"order":"ord_1"`, `"units":3`, `"err":"no primary"`, "Zhejiang"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s lacks %s", &out, want)
		}
	}
}

func TestSetupExportsNothingByDefaultAndStillMakesTraceIDs(t *testing.T) {
	log, shutdown, err := Setup(t.Context(), "test", "v0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	_, span := otel.Tracer("test").Start(t.Context(), "request")
	defer span.End()
	if !span.SpanContext().HasTraceID() {
		t.Fatal("a request has no trace id")
	}
	var out bytes.Buffer
	slog.New(redact(slog.NewJSONHandler(&out, nil))).InfoContext(trace.ContextWithSpan(t.Context(), span), "m")
	if !strings.Contains(out.String(), span.SpanContext().TraceID().String()) {
		t.Fatalf("the log line lacks the trace id: %s", &out)
	}
	if log.Enabled(t.Context(), slog.LevelDebug) || !log.Enabled(t.Context(), slog.LevelInfo) {
		t.Fatal("the default level is not info")
	}
}

func TestSetupExportsWhatTheStandardVariablesSay(t *testing.T) {
	t.Setenv("OTEL_TRACES_EXPORTER", "console")
	t.Setenv("OTEL_LOGS_EXPORTER", "console")
	t.Setenv("OTEL_METRICS_EXPORTER", "prometheus")
	t.Setenv("OTEL_EXPORTER_PROMETHEUS_PORT", "0")
	t.Setenv("OTEL_TRACES_SAMPLER", "always_on")
	t.Setenv("LOG_LEVEL", "debug")
	log, shutdown, err := Setup(t.Context(), "test", "v0")
	if err != nil {
		t.Fatal(err)
	}
	_, span := otel.Tracer("test").Start(t.Context(), "request")
	if !span.SpanContext().IsSampled() {
		t.Error("the sampler was not heard")
	}
	span.End()
	if !log.Enabled(t.Context(), slog.LevelDebug) {
		t.Error("the level was not heard")
	}
	if err := shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func TestSetupRefusesWhatItDoesNotKnow(t *testing.T) {
	for name, env := range map[string][2]string{
		"a level":     {"LOG_LEVEL", "loud"},
		"an exporter": {"OTEL_TRACES_EXPORTER", "pigeon"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(env[0], env[1])
			if _, _, err := Setup(t.Context(), "test", "v0"); err == nil {
				t.Fatal("it was accepted")
			}
		})
	}
}
