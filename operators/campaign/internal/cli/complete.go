package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

const (
	// completeWithin bounds the wait of somebody who pressed Tab.
	completeWithin = 3 * time.Second
	// completeMost bounds what is offered.
	completeMost = 500
)

// completeNames offers the names of the namespace's campaigns, each with its phase, for the first
// argument.
func completeNames(flags *genericclioptions.ConfigFlags) cobra.CompletionFunc {
	return func(command *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return offer(command.Context(), flags, begun, func(ctx context.Context, c *cluster, add func(name, about string)) error {
			list := &v1alpha1.CampaignList{}
			err := c.List(ctx, list, client.InNamespace(c.namespace), client.Limit(completeMost))
			for _, item := range list.Items {
				add(item.Name, string(item.Status.Phase))
			}
			return err
		})
	}
}

func completeNamespaces(flags *genericclioptions.ConfigFlags) cobra.CompletionFunc {
	return func(command *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return offer(command.Context(), flags, begun, func(ctx context.Context, c *cluster, add func(name, about string)) error {
			list := &corev1.NamespaceList{}
			err := c.List(ctx, list, client.Limit(completeMost))
			for _, item := range list.Items {
				add(item.Name, "")
			}
			return err
		})
	}
}

// offer asks the cluster. Who presses Tab is not told of errors.
func offer(ctx context.Context, flags *genericclioptions.ConfigFlags, begun string,
	list func(context.Context, *cluster, func(name, about string)) error,
) ([]cobra.Completion, cobra.ShellCompDirective) {
	c, err := newCluster(flags)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(ctx, completeWithin)
	defer cancel()
	var out []cobra.Completion
	err = list(ctx, c, func(name, about string) {
		if strings.HasPrefix(name, begun) {
			out = append(out, cobra.CompletionWithDesc(name, about))
		}
	})
	if err != nil {
		return nil, cobra.ShellCompDirectiveError | cobra.ShellCompDirectiveNoFileComp
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
