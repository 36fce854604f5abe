package systems

import (
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestAListenersFileIsReadAsFarAsItIsWritten(t *testing.T) {
	l := &Listener{path: filepath.Join(t.TempDir(), "heard")}
	asked := map[string]time.Time{"ord_a": {}, "ord_b": {}}
	if got, err := l.read(asked); len(got) != 0 || err != nil {
		t.Errorf("before there is a file: %v, %v", got, err)
	}
	if err := os.WriteFile(l.path, []byte("ord_a 1000\nord_other 1500\nord_a 2000\nord_b 30"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := l.read(asked)
	want := map[string]time.Time{"ord_a": time.Unix(0, 1000)}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v, want %v: the first time counts, and no half line", got, err, want)
	}
}
