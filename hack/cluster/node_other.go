//go:build !linux

package main

import (
	"errors"
	"syscall"
)

func ownNamespaces(*syscall.SysProcAttr) {}

func (h home) mountNode() error { return errors.New("only Linux has namespaces") }
