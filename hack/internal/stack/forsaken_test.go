package stack

import (
	"os"
	"path/filepath"
	"testing"
)

func TestBinariesGoWhenTheirCheckoutIsGone(t *testing.T) {
	cache, checkouts := t.TempDir(), t.TempDir()
	build := func(name string) (dir, root string) {
		t.Helper()
		dir, root = filepath.Join(cache, binariesPrefix+name), filepath.Join(checkouts, name)
		for _, path := range []string{dir, root} {
			if err := os.Mkdir(path, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if err := claim(dir, root); err != nil {
			t.Fatal(err)
		}
		return dir, root
	}
	gone, clone := build("clone")
	stays, _ := build("main")
	unknown := filepath.Join(cache, binariesPrefix+"unknown") // from before there were notes
	if err := os.Mkdir(unknown, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(clone); err != nil {
		t.Fatal(err)
	}
	newest, _ := build("newest")

	if _, err := os.Stat(gone); !os.IsNotExist(err) {
		t.Errorf("the binaries of a checkout that is gone: %v, want none", err)
	}
	for _, dir := range []string{stays, unknown, newest} {
		if _, err := os.Stat(dir); err != nil {
			t.Errorf("binaries that somebody may use are gone: %v", err)
		}
	}
}
