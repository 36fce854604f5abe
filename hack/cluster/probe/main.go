// Command probe is both pods of the check that a new cluster must pass: one
// serves, the other asks it by the name of its Service.
//
//	probe serve :8080
//	probe ask http://answer.check.svc.cluster.local/
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"time"
)

const (
	// patience is how long the asker waits for the answer. Until the rules of a
	// new Service are in the kernel its address leads nowhere.
	patience = 60 * time.Second
	// attempt bounds one question.
	attempt = 2 * time.Second
	// pause lies between two questions.
	pause = 200 * time.Millisecond
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: probe serve ADDRESS | probe ask URL")
		os.Exit(2)
	}
	run := ask
	if os.Args[1] == "serve" {
		run = serve
	}
	if err := run(os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}

func serve(address string) error {
	server := &http.Server{Addr: address, ReadHeaderTimeout: attempt, Handler: http.HandlerFunc(
		func(http.ResponseWriter, *http.Request) {})} // 200 is the answer
	return server.ListenAndServe()
}

func ask(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	client := &http.Client{Timeout: attempt}
	for {
		err := askOnce(ctx, client, url)
		if err == nil {
			return nil
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return fmt.Errorf("no answer in %s: %w", patience, err)
		}
	}
}

func askOnce(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody) //nolint:gosec // G704: what it asks is its argument
	if err != nil {
		return err
	}
	answer, err := client.Do(request) //nolint:gosec // G704: as above
	if err != nil {
		return err
	}
	if err := answer.Body.Close(); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, answer.Status)
	}
	return nil
}
