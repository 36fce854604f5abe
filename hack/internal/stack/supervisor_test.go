package stack_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/qingcang/qingcang/hack/internal/stack"
)

// The test binary plays the processes that the tests supervise.
const roleKey = "STACK_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(roleKey) {
	case "":
		os.Exit(m.Run())
	case "server":
		serve(os.Args[1], os.Args[2], os.Args[3])
	case "broken":
		fmt.Println("no such database")
		os.Exit(3)
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
		serve(os.Args[1], os.Args[2], "")
	case "supervisor":
		superviseForever(os.Args[1], os.Args[2])
	}
}

// serve accepts connections; on SIGTERM it writes its name to the diary and ends.
func serve(name, address, diary string) {
	stop := make(chan os.Signal, 1)
	if diary != "" {
		signal.Notify(stop, syscall.SIGTERM)
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("environment:", os.Environ())
	go func() {
		for {
			if connection, err := listener.Accept(); err == nil {
				_ = connection.Close()
			}
		}
	}()
	<-stop
	file, err := os.OpenFile(diary, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = fmt.Fprint(file, name, " ")
	}
	if err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

func superviseForever(dir, address string) {
	supervisor, err := stack.NewSupervisor(dir, slog.New(slog.DiscardHandler))
	if err == nil {
		err = supervisor.Start(context.Background(), server("orphan", address, filepath.Join(dir, "diary")))
	}
	fmt.Println(err)
	select {}
}

func server(name, address, diary string) stack.Process {
	return stack.Process{
		Name: name, Path: os.Args[0], Args: []string{name, address, diary},
		Env: []string{roleKey + "=server"}, Ready: stack.TCPReady(address),
	}
}

func newSupervisor(t *testing.T) *stack.Supervisor {
	t.Helper()
	supervisor, err := stack.NewSupervisor(t.TempDir(), slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(supervisor.Stop)
	return supervisor
}

func freeAddress(t *testing.T) string {
	t.Helper()
	ports, err := stack.FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", ports[0])
}

func start(t *testing.T, supervisor *stack.Supervisor, processes ...stack.Process) {
	t.Helper()
	for _, process := range processes {
		if err := supervisor.Start(t.Context(), process); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAKilledProcessIsStartedAgain(t *testing.T) {
	supervisor := newSupervisor(t)
	start(t, supervisor, server("catalog", freeAddress(t), filepath.Join(t.TempDir(), "diary")))

	const kills = 3
	for range kills {
		if err := supervisor.Kill("catalog"); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		if err := supervisor.WaitReady(ctx, "catalog"); err != nil {
			t.Fatal(err)
		}
		cancel()
	}

	if got, err := supervisor.Restarts("catalog"); err != nil || got != kills {
		t.Errorf("restarts = %d, %v; want %d", got, err, kills)
	}
}

func TestProcessesStopInReverse(t *testing.T) {
	supervisor := newSupervisor(t)
	diary := filepath.Join(t.TempDir(), "diary")
	start(t, supervisor,
		server("database", freeAddress(t), diary), server("broker", freeAddress(t), diary), server("order", freeAddress(t), diary))

	supervisor.Stop()

	got, err := os.ReadFile(diary)
	if err != nil {
		t.Fatal(err)
	}
	if want := "order broker database "; string(got) != want {
		t.Errorf("stopped %q, want %q", got, want)
	}
}

func TestWhoIgnoresTheSignalIsKilled(t *testing.T) {
	supervisor := newSupervisor(t)
	address := freeAddress(t)
	process := server("stubborn", address, "")
	process.Env = []string{roleKey + "=stubborn"}
	process.StopTimeout = 50 * time.Millisecond
	start(t, supervisor, process)

	supervisor.Stop()

	if err := stack.TCPReady(address)(t.Context()); err == nil {
		t.Error("it still serves")
	}
}

func TestAProcessThatEndsAtOnceIsReportedWithItsLog(t *testing.T) {
	supervisor := newSupervisor(t)
	process := server("broken", freeAddress(t), "")
	process.Env = []string{roleKey + "=broken"}

	err := supervisor.Start(t.Context(), process)

	if err == nil || !strings.Contains(err.Error(), "no such database") {
		t.Errorf("error = %v, want one that shows what the process said", err)
	}
	if _, err := supervisor.Restarts("broken"); err == nil {
		t.Error("it is still supervised")
	}
}

func TestAProcessThatNeverServesIsReported(t *testing.T) {
	supervisor := newSupervisor(t)
	process := server("mute", freeAddress(t), filepath.Join(t.TempDir(), "diary"))
	process.Ready = stack.TCPReady(freeAddress(t))
	process.ReadyTimeout = 200 * time.Millisecond

	if err := supervisor.Start(t.Context(), process); err == nil {
		t.Error("it was called ready")
	}
}

func TestTwoProcessesCannotShareAName(t *testing.T) {
	supervisor := newSupervisor(t)
	diary := filepath.Join(t.TempDir(), "diary")
	start(t, supervisor, server("order", freeAddress(t), diary))

	if err := supervisor.Start(t.Context(), server("order", freeAddress(t), diary)); err == nil {
		t.Error("the second was started")
	}
}

func TestTheUsersEnvironmentStaysOutside(t *testing.T) {
	t.Setenv("KAFKA_BROKERS", "production:9092")
	supervisor := newSupervisor(t)
	start(t, supervisor, server("order", freeAddress(t), filepath.Join(t.TempDir(), "diary")))

	log, err := os.ReadFile(supervisor.LogFile("order"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(log), "production") || !strings.Contains(string(log), "PATH=") {
		t.Errorf("the process sees %s", log)
	}
}

func TestMemoryIsCounted(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("memory is read from /proc")
	}
	supervisor := newSupervisor(t)
	diary := filepath.Join(t.TempDir(), "diary")
	uncounted := server("apiserver", freeAddress(t), diary)
	uncounted.Uncounted = true
	start(t, supervisor, uncounted)

	if got := supervisor.PeakRSS(); got != 0 {
		t.Errorf("peak = %d bytes without a counted process, want 0", got)
	}
	start(t, supervisor, server("order", freeAddress(t), diary))
	eventually(t, func() bool { return supervisor.PeakRSS() > 1<<20 })
}

func TestNothingOutlivesAKilledSupervisor(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ties a child to its parent")
	}
	address := freeAddress(t)
	command := exec.Command(os.Args[0], t.TempDir(), address)
	command.Env = append(os.Environ(), roleKey+"=supervisor")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return stack.TCPReady(address)(t.Context()) == nil })

	if err := command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait() // always "signal: killed"

	eventually(t, func() bool { return stack.TCPReady(address)(t.Context()) != nil })
}

func eventually(t *testing.T, condition func() bool) {
	t.Helper()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(20 * time.Second)
	for !condition() {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatal("it did not come to pass in 20 s")
		}
	}
}
