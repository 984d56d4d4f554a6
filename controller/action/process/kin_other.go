//go:build !linux

package process

import (
	"context"
	"syscall"
)

// relative is a process that was seen; other systems do not tell of any.
type relative struct{}

// AdoptOrphans does nothing where there are no subreapers: an orphan that has given up its
// group is not found again.
func AdoptOrphans(context.Context) error { return nil }

// Note does nothing where there is no /proc.
func (p *Process) Note() {}

func (p *Process) endKin(context.Context) error { return nil }

func attributes(Spec) *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func started(run func() (int, error)) (uint64, error) {
	_, err := run()
	return 0, err
}

func ended(int, uint64) {}
