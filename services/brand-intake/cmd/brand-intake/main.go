// Brand-intake takes in brands and their stock, gives stock to campaigns and
// keeps the brands' accounts. It is configured by its environment; see
// wiring.Config.
package main

import (
	"context"
	"log/slog"

	"github.com/qingcang/qingcang/services/brand-intake/internal/httpapi"
	"github.com/qingcang/qingcang/services/brand-intake/internal/wiring"
	"github.com/qingcang/qingcang/services/internal/run"
)

func main() {
	run.Main(httpapi.Service, func(ctx context.Context, log *slog.Logger) error {
		cfg, err := run.Config[wiring.Config]()
		if err != nil {
			return err
		}
		return wiring.Run(ctx, cfg, log)
	})
}
