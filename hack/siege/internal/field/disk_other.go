//go:build !linux

package field

import "errors"

var errLinux = errors.New("a small disk needs Linux")

func mountSmall(string, int64) (func() error, error) { return nil, errLinux }

// Fill needs Linux.
func (f *Field) Fill(string) error { return errLinux }

// Empty needs Linux.
func (f *Field) Empty(string) error { return errLinux }
