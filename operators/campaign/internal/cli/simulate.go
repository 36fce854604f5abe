package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/qingcang/qingcang/operators/campaign/internal/simulate"
)

// What a programme fails by, said after the figures.
var (
	errUnlawful = errors.New("the programme breaks the law and will be refused")
	errLoses    = errors.New("the platform's part can be under 0")
)

type simulateOptions struct {
	files     []string
	campaigns []string
	output    string
	items     bool
}

func newSimulate(flags *genericclioptions.ConfigFlags, streams genericiooptions.IOStreams) *cobra.Command {
	var o simulateOptions
	command := &cobra.Command{
		Use:   "simulate -f PROGRAMME.yaml [-f CAMPAIGN.yaml | --campaign NAME]...",
		Short: "Reckon what a programme for store owners can cost at most",
		Long: `Reckon what an OwnerProgram can cost at most over campaigns, as if every unit were sold over an owner's
link: for each rank and depth what owners get and what is left to the platform, and the most that can
fall on one month. It also checks the programme against the law, rule by rule.

Nothing is sent to the cluster; it is asked only for what --campaign names. The exit code is 1 when the
programme breaks a rule or the platform's part can be under 0.`,
		Example: `  kubectl qingcang simulate -f programme.yaml -f campaign.yaml
  kubectl qingcang simulate -f programme.yaml --campaign autumn-coats --campaign shoes -o json`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			given, err := gatherManifests(command.Context(), flags, streams.In, o)
			if err != nil {
				return err
			}
			return o.run(streams.Out, given)
		},
	}
	own := command.Flags()
	own.StringArrayVarP(&o.files, "filename", "f", nil, "a `file` with an OwnerProgram, Campaigns or both; - is standard input")
	own.StringArrayVar(&o.campaigns, "campaign", nil, "the `name` of a campaign of the cluster")
	own.StringVarP(&o.output, "output", "o", "", "json or yaml")
	own.BoolVar(&o.items, "items", false, "show each item, too")
	_ = command.RegisterFlagCompletionFunc("campaign", completeNames(flags)) // these two fail only for a flag
	_ = command.RegisterFlagCompletionFunc("output", cobra.FixedCompletions( // that is not there
		[]cobra.Completion{asJSON, asYAML}, cobra.ShellCompDirectiveNoFileComp))
	return command
}

// gatherManifests reads the files, and from the cluster what they lack.
func gatherManifests(ctx context.Context, flags *genericclioptions.ConfigFlags, stdin io.Reader, o simulateOptions) (manifests, error) {
	var given manifests
	if o.output != "" && o.output != asJSON && o.output != asYAML {
		return given, usage(fmt.Errorf("-o %s is not known: json or yaml", o.output))
	}
	if len(o.files) == 0 {
		return given, usage(errors.New("give the programme with -f"))
	}
	for _, path := range o.files {
		if err := given.read(path, stdin); err != nil {
			return given, err
		}
	}
	switch {
	case len(given.programs) != 1:
		return given, usage(fmt.Errorf("one OwnerProgram is reckoned at a time, the files have %d", len(given.programs)))
	case len(given.campaigns)+len(o.campaigns) == 0:
		return given, usage(errors.New("give a campaign, with another -f or with --campaign NAME"))
	case len(o.campaigns) == 0:
		return given, nil
	}
	c, err := newCluster(flags)
	if err != nil {
		return given, err
	}
	for _, name := range o.campaigns {
		campaign, err := c.campaign(ctx, name)
		if err != nil {
			return given, err
		}
		given.campaigns = append(given.campaigns, campaign)
	}
	return given, nil
}

// run writes the figures, then what the programme fails by.
func (o simulateOptions) run(out io.Writer, given manifests) error {
	result, err := simulate.Run(given.programs[0], given.campaigns)
	if err != nil {
		return err
	}
	if o.output != "" {
		err = encode(out, result, o.output)
	} else {
		err = result.Print(out, o.items)
	}
	if err != nil {
		return err
	}
	if len(result.Breaches) > 0 {
		return errUnlawful
	}
	if result.CanLose {
		return errLoses
	}
	return nil
}
