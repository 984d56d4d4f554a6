package mcp

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/types"

	"jobwright.dev/controller/action"
)

// Kept calls visit with each job of which a task is remembered.
func (r *Runner) Kept(ctx context.Context, visit func(action.JobRef) error) error {
	if r.memory() == "" {
		return nil
	}
	entries, err := os.ReadDir(string(r.memory()))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("list the tasks of jobs: %w", err)
	}
	for _, entry := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		uid, ok := strings.CutSuffix(entry.Name(), ".json")
		if !ok {
			continue
		}
		// One that cannot be read, or has no name, is dropped when it is old enough (purge).
		task, err := r.memory().read(types.UID(uid))
		if err != nil || task == nil || task.Job == "" {
			continue
		}
		if err := visit(action.JobRef{Namespace: task.Namespace, Name: task.Job, UID: types.UID(uid)}); err != nil {
			return err
		}
	}
	return nil
}

// Forget removes what is remembered of a job.
func (r *Runner) Forget(_ context.Context, job action.JobRef) error {
	if err := errors.Join(r.memory().forget(job.UID), r.memory().unmark(job.UID)); err != nil {
		return fmt.Errorf("forget the task of job %s/%s: %w", job.Namespace, job.Name, err)
	}
	return nil
}
