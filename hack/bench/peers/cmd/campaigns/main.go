// Command campaigns writes many Campaign objects to an API server and prints how many seconds it took.
//
//	campaigns -do ready   creates them and waits until an operator has made every one Ready
//	campaigns -do raw     makes the same objects itself, by the same writes
//	campaigns -do clear   deletes all and waits until none is left (not timed)
//
// All three have 16 requests under way and no limit of their own.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"
)

// parallel is how many requests are under way.
const parallel = 16

// workWithin bounds a run; the target is seconds.
const workWithin = 5 * time.Minute

var campaigns = schema.GroupVersionResource{Group: "sale.qingcang.io", Version: "v1alpha1", Resource: "campaigns"}

// batch is so many campaigns of a namespace, all of whose names begin alike.
type batch struct {
	to     dynamic.ResourceInterface
	prefix string
	n      int
	items  int
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, workWithin)
	took, err := run(ctx)
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "campaigns:", err)
		os.Exit(1)
	}
	fmt.Println(took.Seconds())
}

func run(ctx context.Context) (time.Duration, error) {
	kubeconfig := flag.String("kubeconfig", "", "`file` of the API server's address and a user")
	namespace := flag.String("namespace", "", "`namespace` of the campaigns")
	do := flag.String("do", "", "raw, ready or clear")
	b := batch{}
	flag.StringVar(&b.prefix, "prefix", "c", "how names begin")
	flag.IntVar(&b.n, "n", 1_000, "`number` of campaigns")
	flag.IntVar(&b.items, "items", 10, "`number` of SKUs of each")
	flag.Parse()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		return 0, err
	}
	config.QPS = -1
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return 0, err
	}
	b.to = client.Resource(campaigns).Namespace(*namespace)
	if _, err := b.to.List(ctx, metav1.ListOptions{Limit: 1}); err != nil { // the connection stands before the clock starts
		return 0, err
	}
	started := time.Now()
	switch *do {
	case "raw":
		err = b.raw(ctx)
	case "ready":
		err = b.ready(ctx)
	case "clear":
		err = b.clear(ctx)
	default:
		err = fmt.Errorf("-do %q is not known", *do)
	}
	return time.Since(started), err
}

// each runs work for every name, so many at once.
func (b batch) each(ctx context.Context, work func(ctx context.Context, name string) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i := range b.n {
		group.Go(func() error { return work(ctx, fmt.Sprintf("%s-%05d", b.prefix, i)) })
	}
	return group.Wait()
}

func (b batch) create(ctx context.Context, name string) (*unstructured.Unstructured, error) {
	return b.to.Create(ctx, b.manifest(name), metav1.CreateOptions{})
}

// ready creates the campaigns and waits until each is Ready.
func (b batch) ready(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		return b.each(ctx, func(ctx context.Context, name string) error {
			_, err := b.create(ctx, name)
			return err
		})
	})
	group.Go(func() error { return b.awaitReady(ctx) })
	return group.Wait()
}

// awaitReady watches. A watch that the API server ends, as it does when a CRD is new, is begun again
// with a list.
func (b batch) awaitReady(ctx context.Context) error {
	done := make(map[string]bool, b.n)
	note := func(object *unstructured.Unstructured) {
		if isReady(object) {
			done[object.GetName()] = true
		}
	}
	for len(done) < b.n {
		list, err := b.to.List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		for i := range list.Items {
			note(&list.Items[i])
		}
		watching, err := b.to.Watch(ctx, metav1.ListOptions{ResourceVersion: list.GetResourceVersion()})
		if err != nil {
			return err
		}
		for len(done) < b.n {
			event, open := <-watching.ResultChan() // closed when ctx ends, too
			if !open {
				break
			}
			if object, ok := event.Object.(*unstructured.Unstructured); ok {
				note(object)
			}
		}
		watching.Stop()
		if ctx.Err() != nil {
			return fmt.Errorf("%d of %d campaigns are not Ready: %w", b.n-len(done), b.n, context.Cause(ctx))
		}
	}
	return nil
}

// clear deletes the campaigns and waits until they are gone. Nobody else would take a raw one's
// finalizer away.
func (b batch) clear(ctx context.Context) error {
	err := b.each(ctx, func(ctx context.Context, name string) error {
		if b.prefix == rawPrefix {
			if err := b.setFinalizers(ctx, name); err != nil {
				return err
			}
		}
		return b.to.Delete(ctx, name, metav1.DeleteOptions{})
	})
	if err != nil {
		return err
	}
	const look = 100 * time.Millisecond
	for {
		list, err := b.to.List(ctx, metav1.ListOptions{Limit: 1})
		if err != nil || len(list.Items) == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("campaigns are left: %w", ctx.Err())
		case <-time.After(look):
		}
	}
}
