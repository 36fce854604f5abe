package systems

import (
	"context"
	"fmt"
	"slices"
)

// Kill ends the order service as kill -9 does and starts it again at once: how long a supervisor waits
// is its own affair.
func (us *Ours) Kill() error {
	if err := us.field.supervisor.Halt(us.Name); err != nil {
		return err
	}
	return us.field.supervisor.Release(us.Name)
}

// StartAnew starts the order service with an empty database in place of the one that runs: all it has
// is the log. It does not wait until it serves. Recall puts the first one back.
func (us *Ours) StartAnew(ctx context.Context) error {
	if err := us.field.supervisor.Halt(us.Name); err != nil {
		return err
	}
	us.anew++
	process := us.first
	process.Name = us.anewName()
	process.Env = append(slices.Clone(process.Env), fmt.Sprintf("MONGODB_DATABASE=order%d", us.anew)) // the last one counts
	process.Ready = nil                                                                               // whoever measures asks more often
	return us.field.supervisor.Start(ctx, process)
}

func (us *Ours) anewName() string { return fmt.Sprintf("%s-anew-%d", us.Name, us.anew) }

// Recall ends what StartAnew started and brings back the order service that was there before.
func (us *Ours) Recall(ctx context.Context) error {
	if err := us.field.supervisor.Halt(us.anewName()); err != nil {
		return err
	}
	if err := us.field.supervisor.Release(us.Name); err != nil {
		return err
	}
	return us.field.supervisor.WaitReady(ctx, us.Name)
}

// Retire ends all processes for good, also those that are not charged.
func (us *Ours) Retire() error {
	return us.field.halt(append(slices.Clone(us.helpers), us.processes...))
}
