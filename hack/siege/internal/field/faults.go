package field

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// backWithin bounds how long a process may take to serve again.
const backWithin = 60 * time.Second

// Crash ends a process as kill -9 does and has it started again. It does not wait for that.
func (f *Field) Crash(process string) error {
	return errors.Join(f.supervisor.Halt(process), f.supervisor.Release(process))
}

// Halt ends a process as kill -9 does; it stays away until Release.
func (f *Field) Halt(process string) error { return f.supervisor.Halt(process) }

// Release has a halted process started again.
func (f *Field) Release(process string) error { return f.supervisor.Release(process) }

// Pause stops a process where it stands.
func (f *Field) Pause(process string) error { return f.supervisor.Pause(process) }

// Resume lets a paused process go on.
func (f *Field) Resume(process string) error { return f.supervisor.Resume(process) }

// Retire has a process end in its own way, and returns how long that took; it stays away until Release.
func (f *Field) Retire(process string) (time.Duration, error) {
	started := time.Now()
	err := f.supervisor.Retire(process)
	return time.Since(started), err
}

// Back returns when the processes are ready.
func (f *Field) Back(ctx context.Context, processes ...string) error {
	ctx, cancel := context.WithTimeout(ctx, backWithin)
	defer cancel()
	for _, process := range processes {
		if err := f.supervisor.WaitReady(ctx, process); err != nil {
			return fmt.Errorf("it did not come back: %w", err)
		}
	}
	return nil
}
