// Command sim stands in for WeChat login, WeChat Pay and the staff's identity provider, on one
// address. It speaks their real protocols with real signatures, so that the services run the code
// that they run in production. For demos and tests only.
package main

import (
	"cmp"
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
	keys := flag.String("keys", "", "folder for the keys alone, which may be read-only once they are made; -dir when empty")
	onlyKeys := flag.Bool("only-keys", false, "make the keys that are missing, and end")
	url := flag.String("url", "", "base URL by which others reach it, where that is not the address it listens on")
	hurry := flag.Int("hurry", 30, "how many times as fast as WeChat Pay an unanswered notice is repeated; 1 is its own schedule of 24 hours")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, options{listen: *listen, dir: *dir, keys: cmp.Or(*keys, *dir), url: *url, onlyKeys: *onlyKeys, hurry: *hurry})
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "sim:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	listen, dir, keys, url string
	onlyKeys               bool
	hurry                  int
}

func run(ctx context.Context, o options) error {
	if o.keys == "" || o.dir == "" && !o.onlyKeys {
		return errors.New("-dir is needed: where keys and state are kept")
	}
	if o.hurry < 1 {
		return errors.New("-hurry is 1 or more")
	}
	keys, err := loadKeys(o.keys)
	if err != nil || o.onlyKeys {
		return err
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	pay, err := openPay(o.dir, keys, o.hurry, log)
	if err != nil {
		return err
	}
	defer pay.close()
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", o.listen, err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.HandleFunc("GET /sns/oauth2/access_token", login)
	(&identity{issuer: cmp.Or(o.url, "http://"+listener.Addr().String()) + "/oidc", key: keys.identity}).routes(mux)
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
