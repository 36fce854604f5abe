// Command catalog serves the catalogue: campaigns, their styles, and what is left of them.
package main

import (
	"context"
	"log/slog"

	"github.com/qingcang/qingcang/services/catalog/internal/wiring"
	"github.com/qingcang/qingcang/services/internal/run"
)

func main() {
	run.Main("catalog", func(ctx context.Context, log *slog.Logger) error {
		cfg, err := run.Config[wiring.Config]()
		if err != nil {
			return err
		}
		return wiring.Run(ctx, cfg, log)
	})
}
