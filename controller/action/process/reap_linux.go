package process

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
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

// carriers are the living processes with that identity.
func carriers(worker, attempt string) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("look for processes: %w", err)
	}
	want := [][]byte{[]byte(WorkerEnv + "=" + worker)}
	if attempt != "" {
		want = append(want, []byte(AttemptEnv+"="+attempt))
	}
	var found []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		// A process that ended, or belongs to someone else, is none of ours. The
		// environment of a zombie reads as empty.
		env, err := os.ReadFile("/proc/" + entry.Name() + "/environ")
		if err == nil && carries(env, want) {
			found = append(found, pid)
		}
	}
	return found, nil
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
