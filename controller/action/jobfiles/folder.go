package jobfiles

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

	"jobwright.dev/store/filedb"
)

// Folder is the files of one sort in a folder. It is made by Write when it is missing.
type Folder[T any] struct {
	// Dir is the path; empty: nothing is kept.
	Dir string
	// Suffix ends the name of each file, e.g. ".json".
	Suffix string
}

// path is where a job's file is; false: no file can have that name.
func (f Folder[T]) path(job types.UID) (string, bool) {
	name := string(job)
	usable := f.Dir != "" && name != "" && filepath.IsLocal(name) && filepath.Base(name) == name
	return filepath.Join(f.Dir, name+f.Suffix), usable
}

// Write writes a job's file, over the one before.
func (f Folder[T]) Write(job types.UID, value T) error {
	path, ok := f.path(job)
	if !ok {
		return nil
	}
	return filedb.WriteJSON(path, value)
}

// Read returns what a job's file has; nil: there is no file.
func (f Folder[T]) Read(job types.UID) (*T, error) {
	path, ok := f.path(job)
	if !ok {
		return nil, nil
	}
	return filedb.ReadJSON[*T](path, nil)
}

// Remove removes a job's file. It is no error when there is none. A crash of the machine may
// bring the file back.
func (f Folder[T]) Remove(job types.UID) error {
	_, err := f.remove(job)
	return err
}

// RemoveDurably is Remove, after which no crash brings the file back.
func (f Folder[T]) RemoveDurably(job types.UID) error {
	removed, err := f.remove(job)
	if err != nil || !removed {
		return err
	}
	folder, err := os.Open(f.Dir)
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}

func (f Folder[T]) remove(job types.UID) (removed bool, err error) {
	path, ok := f.path(job)
	if !ok {
		return false, nil
	}
	if err := os.Remove(path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		return false, err
	}
	return true, nil
}

// Each calls visit with each job that has a file, and ends with the first error of visit.
// Files that cannot be read are passed over: Purge removes them when they are old.
func (f Folder[T]) Each(ctx context.Context, visit func(types.UID, *T) error) error {
	entries, err := f.entries()
	if err != nil {
		return fmt.Errorf("list the files of jobs: %w", err)
	}
	for _, entry := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		name, ok := strings.CutSuffix(entry.Name(), f.Suffix)
		if !ok {
			continue
		}
		value, err := f.Read(types.UID(name))
		if err != nil || value == nil {
			continue
		}
		if err := visit(types.UID(name), value); err != nil {
			return err
		}
	}
	return nil
}

// Purge removes every file of the folder, of whatever sort, that was not written for longer
// than keep.
func (f Folder[T]) Purge(now time.Time, keep time.Duration) error {
	entries, err := f.entries()
	for _, entry := range entries {
		if info, infoErr := entry.Info(); infoErr == nil && now.Sub(info.ModTime()) > keep {
			err = errors.Join(err, os.Remove(filepath.Join(f.Dir, entry.Name())))
		}
	}
	return err
}

func (f Folder[T]) entries() ([]fs.DirEntry, error) {
	if f.Dir == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(f.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return entries, err
}
