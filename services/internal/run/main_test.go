package run

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestTheExitCodeTellsWhy(t *testing.T) {
	for name, c := range map[string]struct {
		fn   func(context.Context, *slog.Logger) error
		want int
	}{
		"all is well": {func(context.Context, *slog.Logger) error { return nil }, 0},
		"it failed":   {func(context.Context, *slog.Logger) error { return errors.New("x") }, exitFailed},
		"it is configured wrongly": {func(context.Context, *slog.Logger) error {
			return fmt.Errorf("wiring: %w", &ConfigError{Reason: errors.New("x")})
		}, exitConfig},
		"it was asked to terminate": {func(ctx context.Context, _ *slog.Logger) error {
			if err := syscall.Kill(syscall.Getpid(), syscall.SIGTERM); err != nil {
				return err
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(10 * time.Second):
				return errors.New("the signal did not come")
			}
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := run("test", c.fn); got != c.want {
				t.Fatalf("got %d, want %d", got, c.want)
			}
		})
	}
}

func TestConfigReportsEveryFaultInOneLine(t *testing.T) {
	type config struct {
		Addr  string `env:"TEST_RUN_ADDR,required,notEmpty"`
		Limit int    `env:"TEST_RUN_LIMIT"`
	}
	t.Setenv("TEST_RUN_LIMIT", "many")
	_, err := Config[config]()
	var fault *ConfigError
	if !errors.As(err, &fault) || strings.Contains(err.Error(), "\n") ||
		!strings.Contains(err.Error(), "TEST_RUN_ADDR") || !strings.Contains(err.Error(), "Limit") {
		t.Fatalf("got %v", err)
	}
	t.Setenv("TEST_RUN_LIMIT", "3")
	t.Setenv("TEST_RUN_ADDR", ":0")
	if cfg, err := Config[config](); err != nil || cfg.Limit != 3 {
		t.Fatalf("got %+v, %v", cfg, err)
	}
}

func TestShanghaiIsEightHoursAhead(t *testing.T) {
	if got := time.Date(2026, 11, 22, 0, 0, 0, 0, Shanghai).UTC().Hour(); got != 16 {
		t.Fatalf("midnight in Shanghai is %d o'clock UTC", got)
	}
}
