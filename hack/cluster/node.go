package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/qingcang/qingcang/hack/internal/stack"
)

// reports is the file on which the cluster tells "up" how far it is.
const reports = 3

// allRun ends the reports of a start that went well.
const allRun = "all run\n"

// masked are settings of the whole machine that a kubelet corrects when they are
// not what it wants. It is shown files with the wanted values instead.
func masked() map[string]string {
	return map[string]string{
		"/proc/sys/vm/overcommit_memory":      "1",
		"/proc/sys/vm/panic_on_oom":           "0",
		"/proc/sys/kernel/panic":              "10",
		"/proc/sys/kernel/panic_on_oops":      "1",
		"/proc/sys/kernel/keys/root_maxkeys":  "1000000",
		"/proc/sys/kernel/keys/root_maxbytes": "25000000",
	}
}

// writeMasks returns the file to show for each setting.
func (h home) writeMasks() (map[string]string, error) {
	files := make(map[string]string)
	if err := os.MkdirAll(h.path("run", "masks"), 0o700); err != nil {
		return nil, err
	}
	for setting, value := range masked() {
		file := h.path("run", "masks", filepath.Base(setting))
		if err := os.WriteFile(file, []byte(value+"\n"), 0o600); err != nil {
			return nil, err
		}
		files[setting] = file
	}
	return files, nil
}

// openReports keeps the file from the programs that are started later: it ends
// for its reader when nobody has it any more.
func openReports() *os.File {
	syscall.CloseOnExec(reports)
	return os.NewFile(reports, "reports")
}

// runInit is the first process of the node. It starts the supervisor, buries
// the processes that have lost their parents, and ends with the supervisor.
func runInit(h home) error {
	if os.Getpid() != 1 {
		return fmt.Errorf("%s is a part of up", initCommand)
	}
	told := openReports()
	// The machine's side closes it when the link is in our network.
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	if err := h.mountNode(); err != nil {
		fmt.Fprintln(told, err)
		return err
	}
	supervisor := exec.Command("/proc/self/exe", superviseCommand, "-dir", h.dir)
	supervisor.Stdout, supervisor.Stderr = os.Stdout, os.Stderr
	supervisor.ExtraFiles = []*os.File{told}
	if err := supervisor.Start(); err != nil {
		return err
	}
	if err := told.Close(); err != nil {
		return err
	}
	return bury(supervisor.Process.Pid)
}

// bury waits for children, adopted ones too, until that one is dead.
func bury(last int) error {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		if pid != last {
			continue
		}
		if status.ExitStatus() != 0 {
			return fmt.Errorf("the supervisor ended: exit %d, signal %d", status.ExitStatus(), status.Signal())
		}
		return nil
	}
}

// supervise runs the components until it is told to stop or one cannot be kept running.
func supervise(ctx context.Context, h home) error {
	told := openReports()
	supervisor, err := h.startAll(ctx, told)
	if err != nil {
		fmt.Fprintln(told, err)
		return err
	}
	defer supervisor.Stop()
	if _, err := io.WriteString(told, allRun); err != nil {
		return fmt.Errorf(`tell "up" that all run: %w`, err)
	}
	if err := told.Close(); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-supervisor.Failed():
		return err
	}
}

func (h home) startAll(ctx context.Context, progress io.Writer) (*stack.Supervisor, error) {
	if err := joinNetwork(ctx); err != nil {
		return nil, fmt.Errorf("set up the node's network: %w", err)
	}
	r, err := h.read()
	if err != nil {
		return nil, err
	}
	processes, err := h.components(r.Programs)
	if err != nil {
		return nil, err
	}
	supervisor, err := stack.NewSupervisor(h.logs(), slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err != nil {
		return nil, err
	}
	for _, process := range processes {
		began := time.Now()
		if err := supervisor.Start(ctx, process); err != nil {
			supervisor.Stop()
			return nil, err
		}
		fmt.Fprintf(progress, "%s runs, ready in %.1f s\n", process.Name, time.Since(began).Seconds())
	}
	return supervisor, nil
}

// joinNetwork gives the node its address, the way to the machine and beyond, and
// what the kernel must do for Services: forward, and show packets between two
// pods of one bridge to the rules.
func joinNetwork(ctx context.Context) error {
	err := each(ctx,
		"ip link set lo up",
		"ip addr add "+nodeIP+"/30 dev "+nodeLink,
		"ip link set "+nodeLink+" up",
		"ip route add default via "+machineIP,
	)
	if err != nil {
		return err
	}
	for _, setting := range []string{"net/ipv4/ip_forward", "net/bridge/bridge-nf-call-iptables"} {
		if err := os.WriteFile("/proc/sys/"+setting, []byte("1"), 0o600); err != nil {
			return err
		}
	}
	return nil
}
