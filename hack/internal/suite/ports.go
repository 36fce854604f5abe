package suite

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/qingcang/qingcang/hack/internal/stack"
)

// ports are a suite's ports by process, kept in its folder: links and notices stay good over a
// restart of the whole suite.
type ports map[string]int

func loadPorts(path string) (ports, error) {
	out := ports{}
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, &out)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	var missing []string
	for _, name := range listeners() {
		if out[name] == 0 { // all of a new suite, or one that a newer version has
			missing = append(missing, name)
		}
	}
	if err := stack.KeepPorts(slices.Collect(maps.Values(out))...); err != nil {
		return nil, err
	}
	if len(missing) == 0 {
		return out, nil
	}
	free, err := stack.FreePorts(len(missing))
	if err != nil {
		return nil, err
	}
	for i, name := range missing {
		out[name] = free[i]
	}
	if data, err = json.Marshal(out); err != nil {
		return nil, fmt.Errorf("encode the ports: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the suite's folder: %w", err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return nil, fmt.Errorf("keep the ports: %w", err)
	}
	return out, nil
}

func (p ports) address(name string) string { return fmt.Sprintf("127.0.0.1:%d", p[name]) }

func (p ports) url(name string) string { return "http://" + p.address(name) }
