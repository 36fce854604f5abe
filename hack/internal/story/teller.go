package story

import (
	"errors"
	"fmt"
	"io"
)

// ErrCheck is the fault of a step whose result is not what the story says.
var ErrCheck = errors.New("the result is not what it should be")

// Teller prints a story as it goes.
type Teller struct {
	Out  io.Writer
	step int
}

// Tells begins a step.
func (t *Teller) Tells(title string) {
	t.step++
	_, _ = fmt.Fprintf(t.Out, "\n%2d. %s\n", t.step, title)
}

// Sees prints one result of the step.
func (t *Teller) Sees(format string, args ...any) {
	_, _ = fmt.Fprintf(t.Out, "    %s\n", fmt.Sprintf(format, args...))
}

// Expect fails the story unless the condition holds, and prints what held.
func (t *Teller) Expect(holds bool, format string, args ...any) error {
	if !holds {
		return fmt.Errorf("step %d: %w: %s", t.step, ErrCheck, fmt.Sprintf(format, args...))
	}
	t.Sees("✓ "+format, args...)
	return nil
}
