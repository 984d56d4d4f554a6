package memory

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"jobwright.dev/controller/action/jobfiles"
)

// Folder is a folder with the files of jobs; empty: nothing is kept.
type Folder string

func (f Folder) tasks() jobfiles.Folder[Task] {
	return jobfiles.Folder[Task]{Dir: string(f), Suffix: ".json"}
}

func (f Folder) marks() jobfiles.Folder[mark] {
	return jobfiles.Folder[mark]{Dir: string(f), Suffix: ".uncalled"}
}

// Forget removes the files of a job.
func (f Folder) Forget(job types.UID) error {
	return errors.Join(f.ForgetTask(job), f.Unmark(job))
}

// Purge removes files that have not changed for longer than keep.
func (f Folder) Purge(now time.Time, keep time.Duration) error { return f.tasks().Purge(now, keep) }

// Tasks calls visit with each job that has a task. Files that cannot be read, or that do
// not name their job, are left to Purge.
func (f Folder) Tasks(ctx context.Context, visit func(types.UID, *Task) error) error {
	err := f.tasks().Each(ctx, func(job types.UID, task *Task) error {
		if task.Job == "" {
			return nil
		}
		return visit(job, task)
	})
	if err != nil {
		return fmt.Errorf("tasks of MCP servers: %w", err)
	}
	return nil
}
