package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// reapTime is how long killed processes may take to be gone. SIGKILL works at
	// once but for a process that hangs in the kernel (a dead network filesystem).
	reapTime = 10 * time.Second
	// reapPause lies between two looks at what was killed; the kernel announces the
	// end of a process that is not our child to nobody.
	reapPause = 5 * time.Millisecond
)

// Reap kills every process that carries this worker's identity and, unless it is
// empty, this attempt's, and returns how many there were once all of them are gone.
// Its own process is never among them.
func Reap(ctx context.Context, worker, attempt string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, reapTime)
	defer cancel()
	killed := map[int]bool{}
	for {
		left, err := carriers(worker, attempt)
		if err != nil {
			return len(killed), err
		}
		if len(left) == 0 {
			return len(killed), nil
		}
		for _, pid := range left {
			killed[pid] = true
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended by itself
		}
		pause := time.NewTimer(reapPause)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return len(killed), fmt.Errorf("processes %v are still there %s after they were killed", left, reapTime)
		}
	}
}

// carriers are the living processes with that identity. Every action that ends a program
// looks through all processes of the machine, so a process costs four system calls and no
// memory.
func carriers(worker, attempt string) ([]int, error) {
	names, err := processes()
	if err != nil {
		return nil, fmt.Errorf("look for processes: %w", err)
	}
	want := [][]byte{[]byte(WorkerEnv + "=" + worker)}
	if attempt != "" {
		want = append(want, []byte(attemptEnv+"="+attempt))
	}
	var found []int
	env := make([]byte, 0, 64<<10)
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil || pid == os.Getpid() {
			continue
		}
		// A process that ended, or belongs to someone else, is none of ours. The
		// environment of a zombie reads as empty.
		if env, err = environ(name, env[:0]); err == nil && carries(env, want) {
			found = append(found, pid)
		}
	}
	return found, nil
}

func processes() ([]string, error) {
	proc, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer proc.Close()
	return proc.Readdirnames(-1)
}

// environ appends the environment of a process to a buffer. It spares the file of package
// os, which asks the kernel to poll each one.
func environ(pid string, env []byte) ([]byte, error) {
	fd, err := unix.Open("/proc/"+pid+"/environ", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return env, err
	}
	defer unix.Close(fd) //nolint:errcheck // it was only read
	for {
		if len(env) == cap(env) {
			env = slices.Grow(env, len(env))
		}
		n, err := unix.Read(fd, env[len(env):cap(env)])
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return env, err
		case n == 0:
			return env, nil
		default:
			env = env[:len(env)+n]
		}
	}
}

func carries(env []byte, want [][]byte) bool {
	found := 0
	for variable := range bytes.SplitSeq(env, []byte{0}) {
		for _, w := range want {
			if bytes.Equal(variable, w) {
				found++
			}
		}
	}
	return found >= len(want)
}
