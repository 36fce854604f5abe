package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// longestHome leaves room for the longest name of a socket under it: the kernel
// takes 107 bytes.
const longestHome = 60

// home is the folder of one cluster. All that the cluster writes is in it;
// "down" leaves of it the logs alone.
type home struct{ dir string }

func (h home) path(parts ...string) string {
	return filepath.Join(append([]string{h.dir}, parts...)...)
}
func (h home) logs() string              { return h.path("logs") }
func (h home) kubeconfig() string        { return h.config("admin.kubeconfig") }
func (h home) config(name string) string { return h.path("config", name) }
func (h home) containerdSocket() string  { return h.path("run", "containerd.sock") }

// cgroup is the group that all pods are under, named for the folder: no two
// clusters ever share one.
func (h home) cgroup() string {
	return fmt.Sprintf("/qingcang-cluster-%08x", crc32.ChecksumIEEE([]byte(h.dir)))
}

// record is what the commands know of a cluster that was started.
type record struct {
	// PID is the first process of the cluster, by whose end all others end.
	PID int
	// Started is the kernel's word for when, in ticks since boot: with it no
	// later process is taken for this one.
	Started string
	// Programs are the paths of what it runs, by name.
	Programs map[string]string
	// Up is when it had passed its check; zero before.
	Up time.Time
}

var errNoCluster = errors.New(`no cluster runs here; start one with "go run ./hack/cluster up"`)

// read is fs.ErrNotExist where nothing was started.
func (h home) read() (record, error) {
	text, err := os.ReadFile(h.path("cluster.json"))
	if err != nil {
		return record{}, err
	}
	var r record
	if err := json.Unmarshal(text, &r); err != nil {
		return record{}, fmt.Errorf("read the record of the cluster: %w", err)
	}
	return r, nil
}

// write replaces the record whole: who is killed in the middle leaves the old one.
func (h home) write(r record) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	fresh := h.path("cluster.json.new")
	if err := os.WriteFile(fresh, text, 0o600); err != nil {
		return fmt.Errorf("write the record of the cluster: %w", err)
	}
	return os.Rename(fresh, h.path("cluster.json"))
}

// running is the record of a cluster that lives, else errNoCluster.
func (h home) running() (record, error) {
	r, err := h.read()
	if errors.Is(err, fs.ErrNotExist) || (err == nil && !r.alive()) {
		return record{}, errNoCluster
	}
	return r, err
}

func (r record) alive() bool { return r.PID != 0 && startOf(r.PID) == r.Started }

func (r record) signal(signal syscall.Signal) error {
	if !r.alive() {
		return nil
	}
	err := syscall.Kill(r.PID, signal)
	if errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}

// startOf is when the process started, empty when there is none or it is dead
// and only waits to be buried.
func startOf(pid int) string {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return ""
	}
	// Its name, in parentheses, may hold anything; the fields after it are counted from the state (proc(5)).
	_, after, _ := strings.Cut(string(text[strings.LastIndexByte(string(text), ')'):]), " ")
	const state, start = 0, 19
	fields := strings.Fields(after)
	if len(fields) <= start || fields[state] == "Z" || fields[state] == "X" {
		return ""
	}
	return fields[start]
}
