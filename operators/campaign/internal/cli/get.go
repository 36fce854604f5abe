package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/view"
)

// Ways to write a view.
const (
	asTree = "tree"
	asJSON = "json"
	asYAML = "yaml"
)

// getOptions are the flags of get campaign.
type getOptions struct {
	output string
	watch  bool
	all    bool
	record string
}

func newGet(flags *genericclioptions.ConfigFlags, streams genericiooptions.IOStreams) *cobra.Command {
	parent := &cobra.Command{Use: "get", Short: "Look at campaigns", Args: cobra.ArbitraryArgs, RunE: onlyCommands}
	o := getOptions{}
	command := &cobra.Command{
		Use:     "campaign [NAME]",
		Aliases: []string{"campaigns", "camp"},
		Short:   "Show a campaign as a tree, or all in a table",
		Long: `Show a campaign as a tree: its phase and the time to the next, what is wrong with it, its stock, how fast
it sells, its lane and pods, and what the operator made for it. Without NAME a table of all.

With --watch the tree is drawn anew in place as it changes; where the output is no terminal, each
change is a line. -o json prints an object a look.`,
		Example: `  kubectl qingcang get campaigns
  kubectl qingcang get campaign autumn-coats --watch
  kubectl qingcang get campaign autumn-coats -o json | jq .stock`,
		Args: func(_ *cobra.Command, args []string) error { return o.check(args) },
		RunE: func(command *cobra.Command, args []string) error {
			c, err := newCluster(flags)
			if err != nil {
				return err
			}
			switch {
			case len(args) == 0:
				return c.table(command.Context(), streams.Out, o)
			case o.watch:
				return c.watch(command.Context(), streams, args[0], o)
			default:
				return c.show(command.Context(), streams.Out, args[0], o)
			}
		},
		ValidArgsFunction: completeNames(flags),
	}
	own := command.Flags()
	own.StringVarP(&o.output, "output", "o", "", "tree, json or yaml")
	own.BoolVarP(&o.watch, "watch", "w", false, "go on and show what changes")
	own.BoolVarP(&o.all, "all-namespaces", "A", false, "the campaigns of all namespaces")
	own.StringVar(&o.record, "record", "", "with --watch: also write what is drawn to this `file`, as an asciicast")
	_ = command.RegisterFlagCompletionFunc("output", cobra.FixedCompletions( // fails only for a flag that is not there
		[]cobra.Completion{asTree, asJSON, asYAML}, cobra.ShellCompDirectiveNoFileComp))
	parent.AddCommand(command)
	return parent
}

// check refuses what makes no sense together.
func (o getOptions) check(args []string) error {
	switch {
	case len(args) > 1:
		return usage(errors.New("name one campaign, or none for a table of all"))
	case o.output != "" && !slices.Contains([]string{asTree, asJSON, asYAML}, o.output):
		return usage(fmt.Errorf("-o %s is not known: tree, json or yaml", o.output))
	case len(args) == 0 && o.watch:
		return usage(errors.New("--watch follows one campaign: name it"))
	case len(args) == 0 && o.output == asTree:
		return usage(errors.New("-o tree shows one campaign: name it"))
	case len(args) == 1 && o.all:
		return usage(errors.New("-A is for the table of all campaigns: leave out the name, or name the namespace with -n"))
	case o.record != "" && (!o.watch || o.output == asJSON || o.output == asYAML):
		return usage(errors.New("--record needs --watch, and records the tree"))
	default:
		return nil
	}
}

// show writes one look at a campaign.
func (c *cluster) show(ctx context.Context, out io.Writer, name string, o getOptions) error {
	facts, err := c.facts(ctx, name)
	if err != nil {
		return err
	}
	v := view.Of(facts, facts.LookedAt)
	if o.output == asJSON || o.output == asYAML {
		return encode(out, v, o.output)
	}
	return v.Tree(out, inkFor(out))
}

// unasked stands where a table would need questions for each of its rows.
var unasked = view.Around{PodsNote: "not looked up for a list", ChildrenNote: "not looked up for a list"}

// table writes all campaigns: those that run, then the others by what comes next.
func (c *cluster) table(ctx context.Context, out io.Writer, o getOptions) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var scope []client.ListOption
	if !o.all {
		scope = append(scope, client.InNamespace(c.namespace))
	}
	list := &v1alpha1.CampaignList{}
	if err := c.List(ctx, list, scope...); err != nil {
		return noCampaigns(fmt.Errorf("list campaigns: %w", err))
	}
	now := time.Now()
	views := make([]view.View, 0, len(list.Items))
	for i := range list.Items {
		views = append(views, view.Of(view.Facts{Campaign: &list.Items[i], Around: unasked, LookedAt: now}, now))
	}
	view.Sort(views)
	if o.output == asJSON || o.output == asYAML {
		return encode(out, map[string]any{"campaigns": views}, o.output)
	}
	if len(views) == 0 {
		where := " in namespace " + c.namespace + " (-n names another, -A shows all)"
		if o.all {
			where = ""
		}
		_, err := fmt.Fprintf(out, "No campaigns%s.\n", where)
		return err
	}
	return view.Table(out, views, o.all)
}

// encode writes data for programs.
func encode(out io.Writer, data any, output string) error {
	if output == asYAML {
		text, err := yaml.Marshal(data)
		if err != nil {
			return fmt.Errorf("write YAML: %w", err)
		}
		_, err = fmt.Fprintf(out, "---\n%s", text)
		return err
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(data)
}
