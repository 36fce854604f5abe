package main

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// writeArchive writes the image as an OCI layout in a tar file, which containerd, Docker, podman and
// skopeo import. It is renamed into its place when it is whole.
func writeArchive(path, reference string, image v1.Image) (err error) {
	dir, err := os.MkdirTemp(filepath.Dir(path), ".layout-")
	if err != nil {
		return fmt.Errorf("make a folder for the layout: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a leftover harms nobody
	parsed, err := name.NewTag(reference)
	if err != nil {
		return fmt.Errorf("read the image's name: %w", err)
	}
	files, err := layout.Write(filepath.Join(dir, "image"), empty.Index)
	if err != nil {
		return fmt.Errorf("write the layout: %w", err)
	}
	// A node asks for an image by its full name, and that of Docker Hub is docker.io to all but Docker.
	full := "docker.io/" + parsed.RepositoryStr() + ":" + parsed.TagStr()
	err = files.AppendImage(image, layout.WithAnnotations(map[string]string{
		"io.containerd.image.name":          full,
		"org.opencontainers.image.ref.name": parsed.TagStr(),
	}))
	if err != nil {
		return fmt.Errorf("write the layout: %w", err)
	}
	partial := filepath.Join(dir, "archive.tar")
	if err := tarFolder(partial, filepath.Join(dir, "image")); err != nil {
		return fmt.Errorf("write the archive: %w", err)
	}
	return os.Rename(partial, path)
}

// tarFolder packs a folder's files in the order of their names and without times or owners.
func tarFolder(path, folder string) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if closed := file.Close(); err == nil {
			err = closed
		}
	}()
	w := tar.NewWriter(file)
	err = fs.WalkDir(os.DirFS(folder), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			return err
		}
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(data)), Typeflag: tar.TypeReg}); err != nil {
			return err
		}
		_, err = io.Copy(w, bytes.NewReader(data))
		return err
	})
	if err != nil {
		return err
	}
	return w.Close()
}

// push sends the image to its registry, as whoever docker login or podman login says.
func push(ctx context.Context, reference string, image v1.Image) error {
	tag, err := name.NewTag(reference)
	if err != nil {
		return fmt.Errorf("push %s: %w", reference, err)
	}
	if err := remote.Write(tag, image, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)); err != nil {
		return fmt.Errorf("push %s: %w", reference, err)
	}
	return nil
}
