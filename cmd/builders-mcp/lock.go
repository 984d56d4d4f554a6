package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
)

// lockRoot makes the caller the only one to write below the root, among all builders-mcp
// of this machine: Jobwright starts one for each attempt that speaks over stdio. The
// lock ends with its process. If another process has the lock, lockRoot calls waiting,
// and waits until ctx ends.
func lockRoot(ctx context.Context, root *os.Root, waiting func()) (unlock func(), err error) {
	dir, err := root.Open(".")
	if err != nil {
		return nil, fmt.Errorf("lock the root: %w", err)
	}
	err = flock(dir, syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return func() { dir.Close() }, nil
	}
	if !errors.Is(err, syscall.EWOULDBLOCK) {
		dir.Close()
		return nil, fmt.Errorf("lock the root: %w", err)
	}
	waiting()
	locked := make(chan error, 1)
	go func() { locked <- flock(dir, syscall.LOCK_EX) }()
	select {
	case err := <-locked:
		if err != nil {
			dir.Close()
			return nil, fmt.Errorf("lock the root: %w", err)
		}
		return func() { dir.Close() }, nil
	case <-ctx.Done():
		go func() { // a system call cannot be called off: let go as soon as it is over
			if err := <-locked; err == nil {
				_ = flock(dir, syscall.LOCK_UN) // closing lets go of it as well
			}
			dir.Close()
		}()
		return nil, fmt.Errorf("%w; nothing was changed", errCanceled)
	}
}

func flock(file *os.File, how int) error {
	for {
		if err := syscall.Flock(int(file.Fd()), how); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
