package suite

import (
	"os"
	"path/filepath"
	"testing"
)

func TestPortsStayAndMissingOnesAreAdded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "suite", "ports.json")
	first, err := loadPorts(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(first) != len(listeners()) {
		t.Errorf("%d ports, want %d", len(first), len(listeners()))
	}
	// What an older version kept has no ports for metrics.
	if err := os.WriteFile(path, []byte(`{"catalog": 23456}`), 0o600); err != nil {
		t.Fatal(err)
	}
	second, err := loadPorts(path)
	if err != nil {
		t.Fatal(err)
	}
	if second["catalog"] != 23456 || second[metricsPort("catalog")] == 0 {
		t.Errorf("got %v", second)
	}
	third, err := loadPorts(path)
	if err != nil || third[metricsPort("catalog")] != second[metricsPort("catalog")] {
		t.Errorf("a port moved: %v, %v", third, err)
	}
}
