package httpkit_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/qingcang/qingcang/services/internal/fault"
	"github.com/qingcang/qingcang/services/internal/httpkit"
)

func TestALimiterTurnsAwayWhoFindsNoPlace(t *testing.T) {
	l, err := httpkit.NewLimiter("test")
	if err != nil {
		t.Fatal(err)
	}
	var leave []func(bool)
	var full error
	for full == nil && len(leave) < 100_000 {
		if full = l.Check(); full == nil {
			var one func(bool)
			if one, full = l.Enter(); full == nil {
				leave = append(leave, one)
			}
		}
	}
	f, ok := fault.As(full)
	if !ok || httpkit.Status(f.Kind) != http.StatusTooManyRequests || f.Code != "busy" || f.RetryAfterSeconds != 1 {
		t.Fatalf("after %d: %v", len(leave), full)
	}
	if _, err := l.Enter(); !errors.Is(err, f) {
		t.Errorf("Enter says %v", err)
	}
	leave[0](false)
	if err := l.Check(); err != nil {
		t.Errorf("a place is free, and it says %v", err)
	}
	for _, one := range leave[1:] {
		one(true)
	}
	if _, err := l.Enter(); err != nil {
		t.Errorf("all have left, and it says %v", err)
	}
}

func BenchmarkLimiter(b *testing.B) {
	l, err := httpkit.NewLimiter("bench")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			leave, err := l.Enter()
			if err != nil {
				b.Error(err)
				return
			}
			leave(true)
		}
	})
}
