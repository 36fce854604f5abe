package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/qingcang/qingcang/operators/campaign/api/v1alpha1"
	"github.com/qingcang/qingcang/operators/campaign/internal/view"
)

const (
	// redrawEvery moves the countdown.
	redrawEvery = time.Second
	// aroundEvery is how often pods and children are listed: they tell of no sale, only of its capacity.
	aroundEvery = 3 * time.Second
	// rewatchAfter is the pause before a watch that broke is begun anew.
	rewatchAfter = time.Second
)

// seen is what the watch says: a campaign, that it is gone, or why nothing can be seen.
type seen struct {
	campaign *v1alpha1.Campaign
	gone     bool
	fault    error
}

// watch shows a campaign until ctx ends or the campaign is gone.
func (c *cluster) watch(ctx context.Context, streams genericiooptions.IOStreams, name string, o getOptions) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // of who follows
	facts, err := c.facts(ctx, name)
	if err != nil {
		return err
	}
	show, done, err := newPresenter(streams.Out, o)
	if err != nil {
		return err
	}
	defer done()
	changes := make(chan seen)
	go c.follow(ctx, facts.Campaign, changes)
	around, looking := make(chan view.Around, 1), false
	tick, lookAround := time.NewTicker(redrawEvery), time.NewTicker(aroundEvery)
	defer tick.Stop()
	defer lookAround.Stop()
	pacer := &view.Pacer{}
	for {
		facts.Pace = pacer.Look(&facts.Campaign.Status, time.Now())
		if err := show(view.Of(facts, time.Now())); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil // whoever watches has seen enough
		case <-tick.C:
		case <-lookAround.C:
			if sale := facts.Campaign; !looking {
				looking = true
				go func() { around <- c.around(ctx, sale) }() // there is room for one
			}
		case facts.Around = <-around:
			looking = false
		case change := <-changes:
			if change.gone {
				_, _ = fmt.Fprintf(streams.ErrOut, "The campaign %s is gone.\n", name) // a remark, and no data
				return nil
			}
			facts.Fault = note(change.fault)
			if change.campaign != nil {
				facts.Campaign, facts.LookedAt = change.campaign, time.Now()
			}
		}
	}
}

// follow sends each change of a campaign until ctx ends. A watch that breaks is begun anew from a
// fresh look, so that nothing is missed but what came and went in between.
func (c *cluster) follow(ctx context.Context, from *v1alpha1.Campaign, changes chan<- seen) {
	send := func(s seen) bool {
		select {
		case changes <- s:
			return true
		case <-ctx.Done():
			return false
		}
	}
	key, version := client.ObjectKeyFromObject(from), from.ResourceVersion
	for {
		if !c.watchOnce(ctx, key, version, send) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(rewatchAfter):
		}
		fresh, err := c.freshly(ctx, key)
		switch {
		case apierrors.IsNotFound(err):
			send(seen{gone: true})
			return
		case err != nil:
			if !send(seen{fault: err}) {
				return
			}
		default:
			version = fresh.ResourceVersion
			if !send(seen{campaign: fresh}) {
				return
			}
		}
	}
}

func (c *cluster) freshly(ctx context.Context, key client.ObjectKey) (*v1alpha1.Campaign, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	fresh := &v1alpha1.Campaign{}
	return fresh, c.Get(ctx, key, fresh)
}

// watchOnce passes changes on until the watch breaks; false when nothing more is wanted.
func (c *cluster) watchOnce(ctx context.Context, key client.ObjectKey, version string, send func(seen) bool) bool {
	watching, err := c.Watch(ctx, &v1alpha1.CampaignList{}, &client.ListOptions{
		Namespace: key.Namespace, FieldSelector: fields.OneTermEqualSelector("metadata.name", key.Name),
		Raw: &metav1.ListOptions{ResourceVersion: version},
	})
	if err != nil {
		return ctx.Err() == nil
	}
	defer watching.Stop()
	for event := range watching.ResultChan() {
		campaign, ok := event.Object.(*v1alpha1.Campaign)
		switch {
		case !ok: // an error of the watch itself
			return ctx.Err() == nil
		case event.Type == watch.Deleted:
			send(seen{gone: true})
			return false
		case !send(seen{campaign: campaign}):
			return false
		}
	}
	return ctx.Err() == nil
}

// presenter shows one view.
type presenter func(view.View) error

// newPresenter draws on terminals and prints lines elsewhere; done closes what it opened.
func newPresenter(out io.Writer, o getOptions) (show presenter, done func(), err error) {
	_, _, terminal := terminalSize(out)
	switch {
	case o.output == asJSON || o.output == asYAML:
		return onChange(func(v view.View) error { return encode(out, v, o.output) }), func() {}, nil
	case o.record != "":
		return recorded(out, o.record)
	case terminal:
		return onScreen(&screen{out: out, size: sizeOf(out)}, inkFor(out)), func() {}, nil
	default:
		return onChange(func(v view.View) error {
			_, err := io.WriteString(out, v.Stamped()+"\n")
			return err
		}), func() {}, nil
	}
}

func sizeOf(out io.Writer) func() (columns, lines int) {
	return func() (columns, lines int) {
		columns, lines, _ = terminalSize(out)
		return columns, lines
	}
}

func onScreen(s *screen, ink view.Ink) presenter {
	return func(v view.View) error {
		var frame strings.Builder
		if err := v.Tree(&frame, ink); err != nil {
			return err
		}
		return s.draw(frame.String())
	}
}

// onChange shows a view that differs from the one before by more than the time.
func onChange(show presenter) presenter {
	before := ""
	return func(v view.View) error {
		line := v.Line()
		if line == before {
			return nil
		}
		before = line
		return show(v)
	}
}
