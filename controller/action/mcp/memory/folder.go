package memory

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// Folder is a folder with the files of jobs; empty: nothing is kept.
type Folder string

func (f Folder) usable(job types.UID) bool {
	return f != "" && job != "" && filepath.IsLocal(string(job)) && filepath.Base(string(job)) == string(job)
}

// Forget removes the files of a job.
func (f Folder) Forget(job types.UID) error {
	return errors.Join(f.ForgetTask(job), f.Unmark(job))
}

// Purge removes files that have not changed for longer than keep.
func (f Folder) Purge(now time.Time, keep time.Duration) error {
	entries, err := f.entries()
	for _, entry := range entries {
		if info, infoErr := entry.Info(); infoErr == nil && now.Sub(info.ModTime()) > keep {
			err = errors.Join(err, os.Remove(filepath.Join(string(f), entry.Name())))
		}
	}
	return err
}

// Tasks calls visit with each job that has a task. Files that cannot be read, or that do
// not name their job, are left to Purge.
func (f Folder) Tasks(ctx context.Context, visit func(types.UID, *Task) error) error {
	entries, err := f.entries()
	if err != nil {
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
		task, err := f.Task(types.UID(uid))
		if err != nil || task == nil || task.Job == "" {
			continue
		}
		if err := visit(types.UID(uid), task); err != nil {
			return err
		}
	}
	return nil
}

func (f Folder) entries() ([]fs.DirEntry, error) {
	if f == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return entries, err
}
