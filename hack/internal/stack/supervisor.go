package stack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// Supervisor runs processes, starts again what dies, and stops all in the
// reverse order of their start.
type Supervisor struct {
	logs   string
	log    *slog.Logger
	failed chan error
	memory *memory

	mu      sync.Mutex
	running []*keeper // in the order of their start
	stopped bool
}

// NewSupervisor writes one log file a process into the directory logs, and what
// it does itself to log. Stop must be called.
func NewSupervisor(logs string, log *slog.Logger) (*Supervisor, error) {
	if err := os.MkdirAll(logs, 0o755); err != nil {
		return nil, fmt.Errorf("make the directory for logs: %w", err)
	}
	s := &Supervisor{logs: logs, log: log, failed: make(chan error, 1)}
	s.memory = watchMemory(s.counted)
	return s, nil
}

// Start runs the process and returns when it is ready. A process that ends
// before that is not started again: the error has the end of its log.
func (s *Supervisor) Start(ctx context.Context, process Process) error {
	k, err := s.add(process)
	if err != nil {
		return fmt.Errorf("start %s: %w", process.Name, err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, process.readyTimeout(),
		fmt.Errorf("not ready after %s", process.readyTimeout()))
	defer cancel()
	err = await(ctx, process.Ready, k.stillborn)
	if err == nil && !k.ready() {
		err = <-k.stillborn
	}
	if err != nil {
		s.remove(k)
		k.stop()
		path := s.LogFile(process.Name)
		return fmt.Errorf("start %s: %w\nthe end of %s:\n%s", process.Name, err, path, tail(path))
	}
	return nil
}

func (s *Supervisor) add(process Process) (*keeper, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil, errors.New("the supervisor is stopped")
	}
	for _, k := range s.running {
		if k.process.Name == process.Name {
			return nil, errors.New("a process of that name runs already")
		}
	}
	k, err := keep(process, s.LogFile(process.Name), s.log, s.giveUp)
	if err != nil {
		return nil, err
	}
	s.running = append(s.running, k)
	return k, nil
}

func (s *Supervisor) remove(k *keeper) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = slices.DeleteFunc(s.running, func(other *keeper) bool { return other == k })
}

// Kill ends the process as kill -9 does and returns when it is dead. It is
// started again as after any other death: WaitReady waits for that.
func (s *Supervisor) Kill(name string) error {
	k, err := s.find(name)
	if err != nil {
		return err
	}
	return k.kill()
}

// WaitReady returns when the process is ready, or with the reason why it is not
// when ctx ends.
func (s *Supervisor) WaitReady(ctx context.Context, name string) error {
	k, err := s.find(name)
	if err != nil {
		return err
	}
	if err := await(ctx, k.process.Ready, nil); err != nil {
		return fmt.Errorf("wait for %s: %w", name, err)
	}
	return nil
}

// Failed receives the first process that was given up because it died too
// often. The others run on until Stop.
func (s *Supervisor) Failed() <-chan error { return s.failed }

// Restarts is how often the process was started again.
func (s *Supervisor) Restarts(name string) (int, error) {
	k, err := s.find(name)
	if err != nil {
		return 0, err
	}
	return k.restarts(), nil
}

// PeakRSS is the greatest sum, at one moment, of the resident memory of all
// counted processes, in bytes. It is sampled, and 0 where there is no /proc.
func (s *Supervisor) PeakRSS() int64 { return s.memory.peak() }

// PID is the id of the process's present life, 0 while nothing runs.
func (s *Supervisor) PID(name string) (int, error) {
	k, err := s.find(name)
	if err != nil {
		return 0, err
	}
	return k.pid(), nil
}

// LogFile is where the process of that name writes to.
func (s *Supervisor) LogFile(name string) string { return filepath.Join(s.logs, name+".log") }

// Stop ends all processes, the youngest (or its group) first, each with SIGTERM
// and, when its time is over, SIGKILL. It returns when all are dead, and may be called twice.
func (s *Supervisor) Stop() {
	s.mu.Lock()
	running := slices.Clone(s.running)
	s.running, s.stopped = nil, true
	s.mu.Unlock()
	for len(running) > 0 {
		youngest := len(running) - 1
		for youngest > 0 && running[youngest].inGroupWith(running[youngest-1]) {
			youngest--
		}
		var stopping sync.WaitGroup
		for _, k := range running[youngest:] {
			stopping.Go(k.stop)
		}
		stopping.Wait()
		running = running[:youngest]
	}
	s.memory.stop()
}

func (s *Supervisor) find(name string) (*keeper, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.running {
		if k.process.Name == name {
			return k, nil
		}
	}
	return nil, fmt.Errorf("no process named %q runs here", name)
}

// counted are the ids of the processes whose memory counts.
func (s *Supervisor) counted() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	var pids []int
	for _, k := range s.running {
		if pid := k.pid(); pid != 0 && !k.process.Uncounted {
			pids = append(pids, pid)
		}
	}
	return pids
}

func (s *Supervisor) giveUp(err error) {
	select {
	case s.failed <- err:
	default: // only the first is told; the log has the others
	}
}

// tail is the end of a log file, to stand in an error.
func tail(path string) string {
	const limit = 2 << 10
	file, err := os.Open(path)
	if err != nil {
		return err.Error()
	}
	defer file.Close() //nolint:errcheck // it was only read
	info, err := file.Stat()
	if err != nil {
		return err.Error()
	}
	text := make([]byte, min(info.Size(), limit))
	if _, err := file.ReadAt(text, info.Size()-int64(len(text))); err != nil {
		return err.Error()
	}
	return string(text)
}
