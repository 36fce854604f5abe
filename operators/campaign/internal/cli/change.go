package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
)

// defaultTimeout is longer than a lane may take to answer before the operator calls it silent (30 s).
const defaultTimeout = time.Minute

// change is something that operations do to a campaign by its spec.
type change struct {
	verb, short, long string
	// refuse says in a sentence why the change makes no sense, "" when it does.
	refuse func(*v1alpha1.Campaign, time.Time) string
	// warn says what cannot be taken back, "" when all can.
	warn func(*v1alpha1.Campaign) string
	// apply edits the spec.
	apply func(*v1alpha1.Campaign, time.Time) error
	// asked is what is said when the API server has taken it, done when the status says so.
	asked, done string
	// stops tells that it stops a running sale, of which its lane hears also where the spec is refused.
	stops bool
	// ends tells that an object that was deleted goes when the change is reached.
	ends bool
	// reached tells whether the campaign is as the change wants it, once its lane follows the spec.
	reached func(*v1alpha1.Campaign) bool
}

type changeOptions struct {
	wait    bool
	timeout time.Duration
	yes     bool
}

func newChange(flags *genericclioptions.ConfigFlags, streams genericiooptions.IOStreams, how change) *cobra.Command {
	var o changeOptions
	command := &cobra.Command{
		Use: how.verb + " NAME", Short: how.short, Long: how.long, Args: oneName,
		RunE: func(command *cobra.Command, args []string) error {
			c, err := newCluster(flags)
			if err != nil {
				return err
			}
			return c.change(command.Context(), streams, args[0], how, o)
		},
		ValidArgsFunction: completeNames(flags),
	}
	command.Flags().BoolVar(&o.wait, "wait", false, "wait until the campaign's status says that it is so")
	command.Flags().DurationVar(&o.timeout, "timeout", defaultTimeout, "the `duration` for which --wait waits")
	if how.warn != nil {
		command.Flags().BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	}
	return command
}

// change reads a campaign, refuses nonsense, asks where it must, patches the spec and waits.
func (c *cluster) change(ctx context.Context, streams genericiooptions.IOStreams, name string, how change, o changeOptions) error {
	sale, err := c.campaign(ctx, name)
	if err != nil {
		return err
	}
	if why := how.refuse(sale, time.Now()); why != "" {
		return fmt.Errorf("campaign %s %s", name, why)
	}
	if how.warn != nil {
		_, _ = fmt.Fprintf(streams.ErrOut, "%s\n", how.warn(sale)) // the answer is what counts
		if err := confirm(ctx, streams, o.yes); err != nil {
			return fmt.Errorf("campaign %s is as it was: %w", name, err)
		}
	}
	before := sale.DeepCopy()
	if err := how.apply(sale, time.Now()); err != nil {
		return fmt.Errorf("campaign %s: %w", name, err)
	}
	if err := c.patch(ctx, sale, before); err != nil {
		return err
	}
	if !o.wait {
		if why := unheard(sale, how.stops); why != "" {
			return fmt.Errorf("campaign %s: it was asked for, and its lane does not hear of it until this is put right: %s", name, why)
		}
		_, err := fmt.Fprintf(streams.Out, "campaign %s: %s\n", name, how.asked)
		return err
	}
	if err := c.await(ctx, sale, how, o.timeout); err != nil {
		return err
	}
	_, err = fmt.Fprintf(streams.Out, "campaign %s: %s\n", name, how.done)
	return err
}

// patch sends the one field that apply changed, so that it overwrites nobody else's change. It is not
// bound to the version that was looked at: the status of a sale that runs changes every other second.
func (c *cluster) patch(ctx context.Context, sale, before *v1alpha1.Campaign) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := c.Patch(ctx, sale, client.MergeFrom(before), client.FieldOwner(fieldManager))
	if err != nil {
		return c.about(sale.Name, err)
	}
	return nil
}

// await watches until the status says what the change was for.
func (c *cluster) await(ctx context.Context, sale *v1alpha1.Campaign, how change, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if how.reached(sale) && answered(sale, sale.Generation, how.stops) {
		return nil
	}
	changes := make(chan seen)
	go c.follow(ctx, sale, changes)
	last := sale
	for {
		select {
		case <-ctx.Done():
			if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return fmt.Errorf("campaign %s: it was asked for; the wait for it was broken off", sale.Name)
			}
			return fmt.Errorf("campaign %s: it was asked for, and after %s the status does not say that it is so: %s", sale.Name, timeout, standing(last))
		case now := <-changes:
			if now.gone && how.ends && !sale.DeletionTimestamp.IsZero() {
				return nil
			}
			if now.gone {
				return fmt.Errorf("campaign %s was deleted meanwhile", sale.Name)
			}
			if now.campaign == nil { // the API server is away; the timeout bounds that
				continue
			}
			if last = now.campaign; answered(last, sale.Generation, how.stops) && how.reached(last) {
				return nil
			}
		}
	}
}

// answered tells whether the lane follows at least this generation of the spec, or at least what of it stops
// the sale: the operator has seen it, the services have been told of it, and the lane has taken in what they
// were told.
func answered(c *v1alpha1.Campaign, generation int64, stops bool) bool {
	published := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionPublished)
	return c.Status.ObservedGeneration >= generation && published != nil &&
		(published.Status == metav1.ConditionTrue || stops && stopsAllTheSame(c, published)) &&
		meta.IsStatusConditionTrue(c.Status.Conditions, v1alpha1.ConditionLaneRunning)
}

// unheard is why the services are not told of a change to a campaign's spec, "" where nothing keeps it from
// them.
func unheard(c *v1alpha1.Campaign, stops bool) string {
	published := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionPublished)
	if published == nil || published.Status != metav1.ConditionFalse || stops && stopsAllTheSame(c, published) {
		return ""
	}
	return published.Reason + ": " + published.Message
}

// stopsAllTheSame tells whether the services are told what stops the sale although the spec is refused: they
// know the campaign, and the broker takes what they are told.
func stopsAllTheSame(c *v1alpha1.Campaign, published *metav1.Condition) bool {
	return c.Status.PublishedAt != nil && published.Status == metav1.ConditionFalse &&
		published.Reason != v1alpha1.ReasonPublishFailed && published.Reason != v1alpha1.ReasonEnded
}

// standing is the phase and what Ready says.
func standing(c *v1alpha1.Campaign) string {
	ready := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionReady)
	if ready == nil {
		return "no operator has seen it yet"
	}
	return fmt.Sprintf("it is %s, Ready is %s for %s: %s", c.Status.Phase, ready.Status, ready.Reason, ready.Message)
}

// confirm asks on a terminal. Where nobody can answer only --yes is one.
func confirm(ctx context.Context, streams genericiooptions.IOStreams, yes bool) error {
	if yes {
		return nil
	}
	if !readsTerminal(streams.In) {
		return errors.New("nobody can be asked here: say --yes")
	}
	return ask(ctx, streams)
}

// ask waits for a yes, the whole word: a key pressed by chance ends no sale.
func ask(ctx context.Context, streams genericiooptions.IOStreams) error {
	_, _ = fmt.Fprint(streams.ErrOut, "Go on? Type yes: ")
	answers := make(chan string, 1)
	go func() {
		var answer string
		_, _ = fmt.Fscanln(streams.In, &answer) // no answer is no
		answers <- answer
	}()
	select {
	case <-ctx.Done():
		return errors.New("it was not agreed to")
	case answer := <-answers:
		if answer != "yes" {
			return errors.New("it was not agreed to")
		}
		return nil
	}
}
