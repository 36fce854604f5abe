package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/klog/v2"
)

// Exit codes.
const (
	ExitOK = 0
	// ExitFailed: it was refused, or the cluster did not do it.
	ExitFailed = 1
	// ExitUsage: the command line makes no sense.
	ExitUsage = 2
)

// completionName is how kubectl calls a plugin to complete its arguments: the same binary under
// another name.
const completionName = "kubectl_complete-qingcang"

// listed are the flags of kubectl that help shows; all twenty would hide a command's own.
var listed = []string{"as", "context", "kubeconfig", "namespace"}

// errUsage marks errors of the command line.
var errUsage = errors.New("usage")

// Run runs the plugin and returns its exit code. Args begin with the name that it was called by.
func Run(ctx context.Context, args []string, streams genericiooptions.IOStreams) int {
	klog.SetOutput(io.Discard) // client-go's remarks would break into what is drawn
	klog.LogToStderr(false)
	command := newCommand(streams)
	rest := args[1:]
	if filepath.Base(args[0]) == completionName {
		rest = append([]string{cobra.ShellCompRequestCmd}, rest...)
	}
	command.SetArgs(rest)
	asked, err := command.ExecuteContextC(ctx)
	switch {
	case err == nil:
		return ExitOK
	case errors.Is(err, errUsage):
		_, _ = fmt.Fprintf(streams.ErrOut, "kubectl qingcang: %v\nSee: %s --help\n", err, asked.CommandPath())
		return ExitUsage
	default:
		_, _ = fmt.Fprintf(streams.ErrOut, "kubectl qingcang: %v\n", err)
		return ExitFailed
	}
}

func newCommand(streams genericiooptions.IOStreams) *cobra.Command {
	flags := genericclioptions.NewConfigFlags(true)
	command := &cobra.Command{
		Use:   "kubectl-qingcang",
		Short: "Campaigns, as operations look at them",
		Long: `Campaigns, as operations look at them: a live tree of a sale, its pause and its end, and what a
programme for store owners can cost at most. It takes kubectl's flags (kubectl options), of which only the
most used are listed here.`,
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl qingcang"},
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.ArbitraryArgs,
		RunE:          onlyCommands,
	}
	command.SetIn(streams.In)
	command.SetOut(streams.Out)
	command.SetErr(streams.ErrOut)
	command.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(err) })
	flags.AddFlags(command.PersistentFlags())
	command.PersistentFlags().VisitAll(func(f *pflag.Flag) { f.Hidden = !slices.Contains(listed, f.Name) })
	_ = command.RegisterFlagCompletionFunc("namespace", completeNamespaces(flags)) // fails only for a flag that is not there
	command.AddCommand(
		newGet(flags, streams),
		newChange(flags, streams, pausing),
		newChange(flags, streams, resuming),
		newChange(flags, streams, closing),
		newSimulate(flags, streams),
		newVersion(streams),
	)
	return command
}

// onlyCommands is what a command does that has others below it: help where nothing is asked for.
func onlyCommands(command *cobra.Command, args []string) error {
	if len(args) == 0 {
		return command.Help()
	}
	return usage(fmt.Errorf("%s has no command %q", command.CommandPath(), args[0]))
}

// noArguments takes none.
func noArguments(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage(fmt.Errorf("%q is one argument too many", args[0]))
	}
	return nil
}

func usage(err error) error { return fmt.Errorf("%w: %w", errUsage, err) }

// oneName takes exactly one argument, a campaign's name.
func oneName(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usage(errors.New("name one campaign"))
	}
	return nil
}
