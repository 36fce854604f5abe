// Command sim stands in for WeChat login, WeChat Pay and the staff's identity provider, on one
// address. It speaks their real protocols with real signatures, so that the services run the code
// that they run in production. For demos and tests only.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address to listen on")
	dir := flag.String("dir", "", "folder for keys and state; made when missing")
	hurry := flag.Int("hurry", 30, "how many times as fast as WeChat Pay an unanswered notice is repeated; 1 is its own schedule of 24 hours")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *listen, *dir, *hurry)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "sim:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, listen, dir string, hurry int) error {
	if dir == "" {
		return errors.New("-dir is needed: where keys and state are kept")
	}
	if hurry < 1 {
		return errors.New("-hurry is 1 or more")
	}
	keys, err := loadKeys(dir)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	pay, err := openPay(dir, keys, hurry, log)
	if err != nil {
		return err
	}
	defer pay.close()
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", listen, err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.HandleFunc("GET /sns/oauth2/access_token", login)
	(&identity{issuer: "http://" + listener.Addr().String() + "/oidc", key: keys.identity}).routes(mux)
	pay.routes(mux)
	server := &http.Server{Handler: http.MaxBytesHandler(mux, 1<<20), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	notices, stopNotices := context.WithCancel(ctx)
	defer stopNotices()
	pay.startNotices(notices, &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: noticeSenders}})
	go func() {
		<-ctx.Done()
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = server.Shutdown(closing)
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}
