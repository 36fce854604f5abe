// Command images builds the container images without Docker, Dockerfiles or a base image: one static
// binary each, over a layer of certificate authorities and a folder for temporary files.
//
//	go run ./hack/images -dir FOLDER                  every image of the product, one OCI archive each
//	go run ./hack/images -dir FOLDER -test            those of the test cluster, too
//	go run ./hack/images -dir FOLDER order catalog    only these
//	go run ./hack/images -dir FOLDER -push REGISTRY   pushes them as well
//
// The same commit gives the same digests. README.md says what is in an image.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path"
	"path/filepath"
	"runtime"
	"syscall"
	"text/tabwriter"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/qingcang/qingcang/hack/internal/stack"
)

// options are the flags.
type options struct {
	dir, version, platform, registry string
	test                             bool
	names                            []string
}

func main() {
	var o options
	flag.StringVar(&o.dir, "dir", "", "`folder` for archives, SBOMs and binaries; made when missing")
	flag.StringVar(&o.version, "version", "", "`version` that tags and labels the images; the commit when empty")
	flag.StringVar(&o.platform, "platform", "linux/"+runtime.GOARCH, "`platform`: linux/amd64 or linux/arm64")
	flag.StringVar(&o.registry, "push", "", "`registry` to push to, such as registry.example.com/team; log in as for docker push")
	flag.BoolVar(&o.test, "test", false, "build the simulators, the embedded broker and the embedded database as well")
	flag.Parse()
	o.names = flag.Args()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o, os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "images:", err)
		os.Exit(1)
	}
}

// built is a line of the closing table.
type built struct {
	reference, digest string
	bytes             int64
	took              time.Duration
}

// run builds the binaries, then packs them side by side.
func run(ctx context.Context, o options, out, progress io.Writer) error {
	if o.dir == "" {
		return errors.New("-dir is needed: where the archives are put")
	}
	arch, known := map[string]string{"linux/amd64": "amd64", "linux/arm64": "arm64"}[o.platform]
	if !known {
		return fmt.Errorf("-platform is linux/amd64 or linux/arm64, not %q", o.platform)
	}
	products, err := choose(o.names, o.test)
	if err != nil {
		return err
	}
	root, err := stack.Root()
	if err != nil {
		return err
	}
	origin, err := readOrigin(ctx, root, o.version)
	if err != nil {
		return err
	}
	began := time.Now()
	binaries := filepath.Join(o.dir, "bin", arch)
	if err := buildBinaries(ctx, root, binaries, arch, origin.version, products, progress); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(progress, "%d binaries in %.1f s\n", len(products), time.Since(began).Seconds())
	rows := make([]built, len(products))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, p := range products {
		group.Go(func() (err error) {
			rows[i], err = pack(ctx, p, filepath.Join(binaries, path.Base(p.pkg)), arch, o, origin)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return printTable(out, rows)
}

// pack makes one image of a binary, writes archive and SBOM, and pushes it if asked to.
func pack(ctx context.Context, p product, binary, arch string, o options, from origin) (built, error) {
	began := time.Now()
	image, err := assemble(p, binary, arch, from)
	if err != nil {
		return built{}, fmt.Errorf("image %s: %w", p.name, err)
	}
	reference := p.repository() + ":" + from.version
	if err := writeArchive(filepath.Join(o.dir, p.name+".tar"), reference, image); err != nil {
		return built{}, fmt.Errorf("image %s: %w", p.name, err)
	}
	if err := writeSBOM(filepath.Join(o.dir, p.name+".cdx.json"), p, binary, from); err != nil {
		return built{}, fmt.Errorf("image %s: %w", p.name, err)
	}
	if o.registry != "" {
		reference = o.registry + "/" + reference
		if err := push(ctx, reference, image); err != nil {
			return built{}, err
		}
	}
	digest, err := image.Digest()
	if err != nil {
		return built{}, fmt.Errorf("image %s: %w", p.name, err)
	}
	size, err := compressedBytes(image)
	return built{reference: reference, digest: digest.String(), bytes: size, took: time.Since(began)}, err
}

func printTable(out io.Writer, rows []built) error {
	table := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "IMAGE\tMiB\tDIGEST\tSECONDS")
	for _, r := range rows {
		_, _ = fmt.Fprintf(table, "%s\t%.1f\t%s\t%.1f\n", r.reference, float64(r.bytes)/(1<<20), r.digest, r.took.Seconds())
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print the table: %w", err)
	}
	return nil
}
