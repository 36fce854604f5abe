package cli

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/qingcang/qingcang/operators/campaign/internal/version"
)

func newVersion(streams genericiooptions.IOStreams) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print this plugin's version", Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(streams.Out, "kubectl-qingcang %s, %s %s/%s\n", version.Running(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
