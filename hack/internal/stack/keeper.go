package stack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// life is what has become of the first start. What dies before it was ready is
// broken, not unlucky, and is not started again.
type life int

const (
	unborn life = iota
	ready
	stillborn
)

// keeper keeps one process running until it is told to stop.
type keeper struct {
	process   Process
	log       *slog.Logger
	output    *os.File
	giveUp    func(error)
	stillborn chan error // receives once when the process ends before it was ready
	stopping  context.Context
	cancel    context.CancelFunc
	finished  chan struct{} // closed when it will not be started again

	mu      sync.Mutex
	command *exec.Cmd     // nil while nothing runs
	died    chan struct{} // closed when command is dead
	starts  int
	life    life
	// held ends when a halted process may run again; nil while nothing holds it.
	held        context.Context
	releaseHeld context.CancelFunc
}

// keep starts the process for the first time and returns when it runs.
func keep(process Process, logPath string, log *slog.Logger, giveUp func(error)) (*keeper, error) {
	output, err := os.OpenFile(logPath, os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open its log: %w", err)
	}
	stopping, cancel := context.WithCancel(context.Background())
	k := &keeper{
		process: process, log: log.With("process", process.Name), output: output, giveUp: giveUp,
		stillborn: make(chan error, 1), stopping: stopping, cancel: cancel, finished: make(chan struct{}),
	}
	started := make(chan error, 1)
	go k.run(started)
	if err := <-started; err != nil {
		return nil, err
	}
	return k, nil
}

// run is the life of the process. It stays on one thread, because the kernel
// kills the child when the thread that started it ends (dieWithParent).
func (k *keeper) run(first chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(k.finished)
	defer k.output.Close() //nolint:errcheck // the child wrote to it, not we
	var restarts pace
	for {
		started := time.Now()
		command, err := k.spawn()
		if first != nil {
			first <- err
			first = nil
			if err != nil {
				return
			}
		}
		if err == nil {
			err = command.Wait()
			k.buried()
		}
		released := k.waitReleased()
		if k.stopping.Err() != nil {
			return
		}
		if released {
			continue // its death was wanted
		}
		if k.wasUnborn() {
			k.stillborn <- fmt.Errorf("it ended at once: %w", describe(err))
			return
		}
		pause, giveUp := restarts.next(time.Now(), time.Since(started))
		if giveUp {
			err := fmt.Errorf("%s died more than %d times in a minute: %w", k.process.Name, maxPerWindow, describe(err))
			k.log.Error("given up", "err", err)
			k.giveUp(err)
			return
		}
		k.log.Warn("died and is started again", "err", describe(err), "lived", time.Since(started), "pause", pause)
		select {
		case <-time.After(pause):
		case <-k.stopping.Done():
			return
		}
	}
}

// spawn starts the process, unless it is to stop.
func (k *keeper) spawn() (*exec.Cmd, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.stopping.Err() != nil {
		return nil, k.stopping.Err()
	}
	command := k.process.command(k.output)
	if err := command.Start(); err != nil {
		return nil, err
	}
	k.command, k.died = command, make(chan struct{})
	k.starts++
	return command, nil
}

// buried notes that the process is dead and waited for.
func (k *keeper) buried() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.command = nil
	close(k.died)
}

// signal sends to the process if it runs, and returns what is closed at its death.
func (k *keeper) signal(signal syscall.Signal) (died <-chan struct{}, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.command == nil {
		return nil, fmt.Errorf("%s does not run at the moment", k.process.Name)
	}
	if err := k.command.Process.Signal(signal); err != nil {
		return nil, fmt.Errorf("signal %s: %w", k.process.Name, err)
	}
	return k.died, nil
}

func (k *keeper) kill() error {
	died, err := k.signal(syscall.SIGKILL)
	if err != nil {
		return err
	}
	<-died
	return nil
}

func (k *keeper) inGroupWith(other *keeper) bool {
	return k.process.Group != "" && k.process.Group == other.process.Group
}

// stop returns when the process is dead and will not be started again.
func (k *keeper) stop() {
	k.mu.Lock()
	k.cancel() // under the lock, so that spawn either sees it or is seen by the signal below
	k.mu.Unlock()
	if _, err := k.signal(syscall.SIGTERM); err != nil {
		k.log.Debug("nothing to stop", "err", err)
	}
	if _, err := k.signal(syscall.SIGCONT); err != nil { // a paused process sees SIGTERM when it goes on
		k.log.Debug("nothing to resume", "err", err)
	}
	deadline := time.NewTimer(k.process.stopTimeout())
	defer deadline.Stop()
	select {
	case <-k.finished:
		return
	case <-deadline.C:
	}
	k.log.Warn("did not stop in time and is killed", "timeout", k.process.stopTimeout())
	if err := k.kill(); err != nil {
		k.log.Debug("nothing to kill", "err", err)
	}
	<-k.finished
}

// ready notes that the process serves, and reports false if it is dead for good.
func (k *keeper) ready() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.life == unborn {
		k.life = ready
	}
	return k.life == ready
}

// wasUnborn reports whether a death came before the process was ready.
func (k *keeper) wasUnborn() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.life == unborn {
		k.life = stillborn
	}
	return k.life == stillborn
}

func (k *keeper) restarts() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.starts - 1
}

// pid is 0 while nothing runs.
func (k *keeper) pid() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.command == nil {
		return 0
	}
	return k.command.Process.Pid
}

// describe names an end without an error: what is supervised has no reason to end.
func describe(err error) error {
	if err == nil {
		return errors.New("it exited without an error")
	}
	return err
}
