// Command kubectl-qingcang is a plugin of kubectl: with it on the PATH, `kubectl qingcang` looks at
// campaigns, pauses, resumes and closes them, and reckons what a programme for owners can cost.
//
// kubectl completes its arguments when the same binary is on the PATH as kubectl_complete-qingcang.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/qingcang/qingcang/operators/campaign/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal kills at once
	streams := genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr}
	os.Exit(cli.Run(ctx, os.Args, streams))
}
