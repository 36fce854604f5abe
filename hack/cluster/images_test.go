package main

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

func TestAnImageIsOneProgramForThisPlatform(t *testing.T) {
	dir := t.TempDir()
	program, file := filepath.Join(dir, "pause"), filepath.Join(dir, "pause.tar")
	if err := os.WriteFile(program, []byte("a program"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := writeImage(file, pauseImage, program); err != nil {
		t.Fatal(err)
	}
	tag, err := name.NewTag(pauseImage)
	if err != nil {
		t.Fatal(err)
	}
	image, err := tarball.ImageFromPath(file, &tag)
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if config.OS != "linux" || config.Architecture == "" {
		t.Errorf("the platform is %s/%s: an image without one is not found", config.OS, config.Architecture)
	}
	if want := []string{"/pause"}; !slices.Equal(config.Config.Entrypoint, want) || config.Config.User != nobody {
		t.Errorf("it runs %v as %s, want %v as %s", config.Config.Entrypoint, config.Config.User, want, nobody)
	}
	content, err := io.ReadAll(mutate.Extract(image))
	if err != nil {
		t.Fatal(err)
	}
	if len(content) == 0 {
		t.Error("it is empty")
	}
}
