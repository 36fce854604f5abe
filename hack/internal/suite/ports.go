package suite

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/qingcang/qingcang/hack/internal/stack"
)

// listeners are the processes that get a port of their own.
var listeners = []string{
	"brand-intake", "catalog", "store-owner", "order", "order-a", "order-b", "fulfilment", "sim", "operator",
}

// ports are a suite's ports by process, kept in its folder: links and notices stay good over a
// restart of the whole suite.
type ports map[string]int

func loadPorts(path string) (ports, error) {
	data, err := os.ReadFile(path)
	if err == nil {
		out := ports{}
		if err := json.Unmarshal(data, &out); err != nil {
			return nil, fmt.Errorf("read %s: %w", path, err)
		}
		return out, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read the ports: %w", err)
	}
	free, err := stack.FreePorts(len(listeners))
	if err != nil {
		return nil, err
	}
	out := ports{}
	for i, name := range listeners {
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
