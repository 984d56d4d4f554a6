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
// lock ends with its process. It waits until ctx ends.
func lockRoot(ctx context.Context, root *os.Root) (unlock func(), err error) {
	if ctx.Err() != nil {
		return nil, errCanceled
	}
	dir, err := root.Open(".")
	if err != nil {
		return nil, fmt.Errorf("lock the root: %w", err)
	}
	locked := make(chan error, 1)
	go func() {
		for {
			err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX)
			if !errors.Is(err, syscall.EINTR) {
				locked <- err
				return
			}
		}
	}()
	select {
	case err := <-locked:
		if err != nil {
			dir.Close()
			return nil, fmt.Errorf("lock the root: %w", err)
		}
		return func() { dir.Close() }, nil
	case <-ctx.Done():
		go func() { // a system call cannot be called off: let go as soon as it is over
			<-locked
			dir.Close()
		}()
		return nil, errCanceled
	}
}
