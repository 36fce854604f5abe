package stack

import (
	"context"
	"syscall"
	"time"
)

// Faults that a test plays on one process. Kill is with the supervisor's other work.

// Restart has the process end in its own way, as Stop does, and returns when it is dead. It is
// started again as after any other death: WaitReady waits for that.
func (s *Supervisor) Restart(name string) error {
	k, err := s.find(name)
	if err != nil {
		return err
	}
	return k.terminate()
}

// Halt ends the process as kill -9 does and keeps it from being started again until Release.
func (s *Supervisor) Halt(name string) error {
	k, err := s.find(name)
	if err != nil {
		return err
	}
	k.hold()
	if err := k.kill(); err != nil {
		k.unhold()
		return err
	}
	return nil
}

// Retire has the process end in its own way, as Stop does, and keeps it from being started again
// until Release. It returns when the process is dead.
func (s *Supervisor) Retire(name string) error {
	k, err := s.find(name)
	if err != nil {
		return err
	}
	k.hold()
	if err := k.terminate(); err != nil {
		k.release()
		return err
	}
	return nil
}

// Release has a halted process started again, and does nothing to another one.
func (s *Supervisor) Release(name string) error {
	k, err := s.find(name)
	if err != nil {
		return err
	}
	k.release()
	return nil
}

// Pause stops the process where it stands: it keeps its memory, its files and its connections, and
// answers nobody. Resume lets it go on.
func (s *Supervisor) Pause(name string) error { return s.signal(name, syscall.SIGSTOP) }

// Resume lets a paused process go on, which knows nothing of the time that it missed.
func (s *Supervisor) Resume(name string) error { return s.signal(name, syscall.SIGCONT) }

func (s *Supervisor) signal(name string, signal syscall.Signal) error {
	k, err := s.find(name)
	if err != nil {
		return err
	}
	_, err = k.signal(signal)
	return err
}

// terminate kills what does not end in time.
func (k *keeper) terminate() error {
	died, err := k.signal(syscall.SIGTERM)
	if err != nil {
		return err
	}
	_, _ = k.signal(syscall.SIGCONT) // if it was paused, it sees SIGTERM now; it may be dead already
	deadline := time.NewTimer(k.process.stopTimeout())
	defer deadline.Stop()
	select {
	case <-died:
		return nil
	case <-deadline.C:
		return k.kill()
	}
}

// hold keeps the next death from being followed by a start.
func (k *keeper) hold() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.held == nil || k.held.Err() != nil {
		k.held, k.releaseHeld = context.WithCancel(k.stopping)
	}
}

// release lets the keeper go on, now or when it comes to look: it may not have noticed the death yet.
func (k *keeper) release() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.held != nil {
		k.releaseHeld()
	}
}

// unhold takes a hold back that no death followed.
func (k *keeper) unhold() {
	k.release()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.held = nil
}

// waitReleased returns at once, and false, if the process was not held when it died.
func (k *keeper) waitReleased() bool {
	k.mu.Lock()
	held := k.held
	k.mu.Unlock()
	if held == nil {
		return false
	}
	<-held.Done()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.held == held {
		k.held = nil
	}
	return true
}
