package container

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"jobwright.dev/controller/action/process"
)

const (
	// removeTime bounds the search for containers and their removal; an engine under load
	// takes seconds to kill one.
	removeTime = 30 * time.Second
	// removePause lies between two looks at what is being removed.
	removePause = 100 * time.Millisecond
	// maxSaid bounds what is read of a client's output.
	maxSaid = 1 << 20
)

// Remove ends and removes the containers of a session, and returns once none is left. An
// error says that one may be left.
func (e Engine) Remove(ctx context.Context, worker, session string) error {
	_, err := e.remove(ctx, worker, func(ctx context.Context) ([]string, error) {
		return e.labelled(ctx, worker, sessionLabel, session)
	})
	return err
}

// Sweep is Remove for the containers that earlier runs of a worker have left. It returns how
// many there were.
func (e Engine) Sweep(ctx context.Context, worker, run string) (int, error) {
	return e.remove(ctx, worker, func(ctx context.Context) ([]string, error) {
		all, err := e.labelled(ctx, worker, WorkerLabel, worker)
		if err != nil || len(all) == 0 {
			return nil, err
		}
		// Looked for second, so that none of this run's is taken for another's.
		own, err := e.labelled(ctx, worker, runLabel, run)
		return slices.DeleteFunc(all, func(id string) bool { return slices.Contains(own, id) }), err
	})
}

// remove removes what look finds until it finds nothing. A client that is not installed has
// started nothing.
func (e Engine) remove(ctx context.Context, worker string, look func(context.Context) ([]string, error)) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, removeTime)
	defer cancel()
	removed := map[string]bool{}
	var failed error
	for {
		left, err := look(ctx)
		switch {
		case errors.Is(err, exec.ErrNotFound):
			return 0, nil
		case err != nil:
			return 0, fmt.Errorf("look for containers: %w", errors.Join(failed, err))
		case len(left) == 0:
			return len(removed), nil
		}
		for _, id := range left {
			removed[id] = true
		}
		// One that goes by itself meanwhile makes this fail; the next look tells.
		if _, failed = e.ask(ctx, worker, slices.Concat([]string{"rm", "--force", "--volumes"}, left)...); failed == nil {
			continue
		}
		pause := time.NewTimer(removePause)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return 0, fmt.Errorf("remove containers: %w", failed)
		}
	}
}

// labelled are the containers with a label, also those that have ended.
func (e Engine) labelled(ctx context.Context, worker, label, value string) ([]string, error) {
	said, err := e.ask(ctx, worker, "ps", "--all", "--quiet", "--no-trunc", "--filter", "label="+label+"="+value)
	return strings.Fields(said), err
}

// ask runs the client and returns what it says.
func (e Engine) ask(ctx context.Context, worker string, args ...string) (string, error) {
	p, err := process.Start(process.Spec{Path: e.Program, Args: slices.Concat(e.Global, args), Dir: e.Dir, Env: e.Env, Worker: worker})
	if err != nil {
		return "", err
	}
	p.Stdin.Close()
	var said, wrong strings.Builder
	var reading sync.WaitGroup
	for from, to := range map[io.ReadCloser]*strings.Builder{p.Stdout: &said, p.Stderr: &wrong} {
		reading.Go(func() {
			defer from.Close()
			_, _ = io.Copy(to, io.LimitReader(from, maxSaid)) // what was not read is missing in what is said
		})
	}
	stop := context.AfterFunc(ctx, func() { _ = p.Kill(context.WithoutCancel(ctx)) })
	defer stop()
	code := p.Wait()
	reading.Wait()
	if code != 0 {
		return "", fmt.Errorf("%s %s: %s: %s", filepath.Base(e.Program), args[0], p.Ended(), strings.TrimSpace(wrong.String()))
	}
	return said.String(), nil
}
