// Order sells: it runs the lanes, holds stock for orders, takes their payment
// and splits their money. It is configured by its environment; see
// wiring.Config.
package main

import (
	"context"
	"log/slog"

	"github.com/qingcang/qingcang/services/internal/run"
	"github.com/qingcang/qingcang/services/order/internal/httpapi"
	"github.com/qingcang/qingcang/services/order/internal/wiring"
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
