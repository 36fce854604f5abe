// Command store-owner runs the store-owner service: log-in, membership, share
// links and wallets.
package main

import (
	"context"
	"log/slog"

	"github.com/qingcang/qingcang/services/internal/run"
	"github.com/qingcang/qingcang/services/store-owner/internal/wiring"
)

func main() {
	run.Main("store-owner", func(ctx context.Context, log *slog.Logger) error {
		cfg, err := run.Config[wiring.Config]()
		if err != nil {
			return err
		}
		return wiring.Run(ctx, cfg, log)
	})
}
