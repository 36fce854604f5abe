package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/qingcang/qingcang/hack/internal/stack"
)

// nobody is the user of every program in the cluster's own images.
const nobody = "65532:65532"

// writeImages makes the images of the cluster itself, to be imported when
// containerd runs.
func (h home) writeImages(ctx context.Context, root string, programs map[string]string) error {
	dir := h.path("images")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := stack.BuildStatic(ctx, root, dir, "./hack/cluster/pause", "./hack/cluster/probe"); err != nil {
		return err
	}
	for reference, program := range map[string]string{
		pauseImage: filepath.Join(dir, "pause"),
		probeImage: filepath.Join(dir, "probe"),
		dnsImage:   programs["coredns"],
		usageImage: programs["metrics-server"],
	} {
		file := filepath.Join(dir, filepath.Base(program)+".tar")
		if err := writeImage(file, reference, program); err != nil {
			return fmt.Errorf("make the image %s: %w", reference, err)
		}
	}
	return nil
}

// writeImage packs one static program as an image of nothing else.
func writeImage(file, reference, program string) error {
	tag, err := name.NewTag(reference)
	if err != nil {
		return err
	}
	content, err := layerOf(program)
	if err != nil {
		return err
	}
	layer, err := tarball.LayerFromOpener(
		func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil },
		tarball.WithCompressionLevel(gzip.BestSpeed))
	if err != nil {
		return err
	}
	image, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", runtime.GOARCH // without a platform it is taken for nobody's
	config.Config.Entrypoint = []string{"/" + filepath.Base(program)}
	config.Config.User = nobody
	image, err = mutate.ConfigFile(image, config)
	if err != nil {
		return err
	}
	return tarball.WriteToFile(file, tag, image)
}

func layerOf(program string) ([]byte, error) {
	text, err := os.ReadFile(program)
	if err != nil {
		return nil, err
	}
	var content bytes.Buffer
	archive := tar.NewWriter(&content)
	header := &tar.Header{Name: filepath.Base(program), Mode: 0o555, Size: int64(len(text)), Typeflag: tar.TypeReg}
	if err := archive.WriteHeader(header); err != nil {
		return nil, err
	}
	if _, err := archive.Write(text); err != nil {
		return nil, err
	}
	return content.Bytes(), archive.Close()
}

// load puts images on the node of a running cluster.
func load(ctx context.Context, h home, files []string, progress io.Writer) error {
	if len(files) == 0 {
		return errors.New("name the tars of the images to load")
	}
	r, err := h.running()
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := h.importImage(ctx, r, file); err != nil {
			return fmt.Errorf("load %s: %w", file, err)
		}
		fmt.Fprintln(progress, "loaded", file)
	}
	return nil
}

// importImage hands one tar to containerd, in the namespace where the kubelet's
// images are.
func (h home) importImage(ctx context.Context, r record, file string) error {
	_, err := output(ctx, nil, r.Programs["ctr"],
		"--address", h.containerdSocket(), "--namespace", "k8s.io", "images", "import", file)
	return err
}
