package telemetry

import (
	"context"
	"log/slog"
	"strings"

	"github.com/m-mizutani/masq"
	"go.opentelemetry.io/otel/trace"
)

const redacted = "[redacted]"

// secretKeys are the log keys and struct fields, in lower case and without
// underscores, whose values are personal or secret. They are never written,
// by whatever mistake they got into a log call.
var secretKeys = map[string]bool{
	"address": true, "addressline": true, "apikey": true, "authorization": true,
	"body": true, "ciphertext": true, "consignee": true, "cookie": true,
	"email": true, "fullname": true, "idcard": true, "jscode": true,
	"logincode": true, "mobile": true, "name": true, "nickname": true,
	"openid": true, "passphrase": true, "password": true, "payeropenid": true,
	"phone": true, "plaintext": true, "realname": true, "receiver": true,
	"recipient": true, "secret": true, "sessionkey": true, "setcookie": true,
	"tel": true, "token": true, "unionid": true,
}

func secretKey(key string) bool {
	return secretKeys[strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(key))]
}

// redactor drops the values of secret keys before any handler sees them, and
// adds the trace id.
type redactor struct {
	next    slog.Handler
	replace func(groups []string, a slog.Attr) slog.Attr
}

func redact(next slog.Handler) slog.Handler {
	censor := func(field string, _ any, _ string) bool { return secretKey(field) }
	return redactor{next: next, replace: masq.New(masq.WithCensor(censor), masq.WithRedactMessage(redacted))}
}

func (h redactor) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

func (h redactor) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(h.clean(a))
		return true
	})
	if span := trace.SpanContextFromContext(ctx); span.HasTraceID() {
		clean.AddAttrs(slog.String("trace_id", span.TraceID().String()))
	}
	return h.next.Handle(ctx, clean)
}

func (h redactor) WithAttrs(attrs []slog.Attr) slog.Handler {
	clean := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		clean[i] = h.clean(a)
	}
	return redactor{next: h.next.WithAttrs(clean), replace: h.replace}
}

func (h redactor) WithGroup(name string) slog.Handler {
	return redactor{next: h.next.WithGroup(name), replace: h.replace}
}

func (h redactor) clean(a slog.Attr) slog.Attr {
	if secretKey(a.Key) {
		return slog.String(a.Key, redacted)
	}
	value := a.Value.Resolve()
	switch value.Kind() {
	case slog.KindGroup:
		group := value.Group()
		clean := make([]slog.Attr, len(group))
		for i, member := range group {
			clean[i] = h.clean(member)
		}
		return slog.Attr{Key: a.Key, Value: slog.GroupValue(clean...)}
	case slog.KindAny:
		// An error is its text; walking its fields would copy what it wraps.
		if err, ok := value.Any().(error); ok {
			return slog.String(a.Key, err.Error())
		}
		return h.replace(nil, slog.Attr{Key: a.Key, Value: value})
	default:
		return slog.Attr{Key: a.Key, Value: value}
	}
}
