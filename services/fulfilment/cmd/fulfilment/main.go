// Command fulfilment serves the fulfilment API: shipping orders, parcels and returns.
package main

import (
	"context"
	"log/slog"

	"github.com/qingcang/qingcang/services/fulfilment/internal/wiring"
	"github.com/qingcang/qingcang/services/internal/run"
)

func main() {
	run.Main("fulfilment", func(ctx context.Context, log *slog.Logger) error {
		cfg, err := run.Config[wiring.Config]()
		if err != nil {
			return err
		}
		return wiring.Run(ctx, cfg, log)
	})
}
