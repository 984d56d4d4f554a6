package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
)

var errCanceled = errors.New("canceled")

// staging ends the name of a file that is not at its place yet. The name is always the
// same, so that the next writer, alone below the root, replaces the file of a killed one.
const staging = ".builders-mcp"

// transaction carries out a plan: all of it or nothing.
//
//	stage:  every file is written beside its place, under a name of its own
//	commit: one after the other is moved to its place, then their folders are synced
//
// Most failures (no room, no permission, a folder that is a file) happen while staging, when
// nothing has changed yet. A later failure is undone: files get their old content back, and
// folders that were made for them are removed.
//
// A process that is killed undoes nothing. Each file is whole all the same, and those
// that arrived are unchanged for whoever runs the builder again.
type transaction struct {
	root    *os.Root
	staged  []string // files that are not at their place
	done    []step   // the steps whose file is at its place
	folders []string // the folders that were made, parents first
}

// apply writes the plan's files. When one cannot be written, or ctx ends, the files are
// as they were before. The caller holds the root's lock.
func (p *plan) apply(ctx context.Context, root *os.Root, report func(done, total int, message string)) error {
	t := &transaction{root: root}
	err := t.run(ctx, p.steps, report)
	if err == nil {
		return nil
	}
	if undone := t.undo(); undone != nil {
		return fmt.Errorf("%w; what was written could not all be taken back: %w", err, undone)
	}
	return fmt.Errorf("%w; nothing was changed", err)
}

func (t *transaction) run(ctx context.Context, steps []step, report func(done, total int, message string)) error {
	for _, s := range steps {
		if ctx.Err() != nil {
			return errCanceled
		}
		if s.status() == unchanged {
			continue
		}
		if err := t.stage(s); err != nil {
			return fmt.Errorf("%s: %w", s.path, err)
		}
	}
	for i, s := range steps {
		if ctx.Err() != nil {
			return errCanceled
		}
		if s.status() != unchanged {
			if err := t.commit(s); err != nil {
				return fmt.Errorf("%s: %w", s.path, err)
			}
		}
		report(i+1, len(steps), s.status()+" "+s.path)
	}
	return t.syncFolders()
}

// syncFolders makes the new names durable, as Sync did the content: those of files that
// were moved to their place, and those of folders that were made for them.
func (t *transaction) syncFolders() error {
	folders := map[string]bool{}
	for _, s := range t.done {
		folders[path.Dir(s.path)] = true
	}
	for _, made := range t.folders {
		folders[path.Dir(made)] = true
	}
	for _, folder := range slices.Sorted(maps.Keys(folders)) {
		open, err := t.root.Open(folder)
		if err != nil {
			return err
		}
		if err := errors.Join(open.Sync(), open.Close()); err != nil {
			return fmt.Errorf("%s: %w", folder, err)
		}
	}
	return nil
}

// stage writes the new content of s.path to a file beside it.
func (t *transaction) stage(s step) error {
	if err := t.makeFolders(path.Dir(s.path)); err != nil {
		return err
	}
	temp := s.path + staging
	if err := t.root.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := t.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, s.mode)
	if err != nil {
		return err
	}
	t.staged = append(t.staged, temp)
	defer file.Close()
	if _, err := file.Write(s.data); err != nil {
		return err
	}
	if s.there { // a file that is replaced keeps its mode, whatever the umask is
		if err := file.Chmod(s.mode); err != nil {
			return err
		}
	}
	return file.Sync() // a job that succeeded has its files after a power cut; see syncFolders
}

// makeFolders makes a folder and those above it, and remembers which were not there.
func (t *transaction) makeFolders(dir string) error {
	if dir == "." {
		return nil
	}
	if err := t.makeFolders(path.Dir(dir)); err != nil {
		return err
	}
	err := t.root.Mkdir(dir, 0o755)
	switch {
	case err == nil:
		t.folders = append(t.folders, dir)
		return nil
	case errors.Is(err, fs.ErrExist):
		return nil // should it be a file, then opening one below it says so
	}
	return err
}

// commit moves a staged file to its place, unless the file there has changed since the plan was
// made: others than builders write here too.
func (t *transaction) commit(s step) error {
	now, err := look(t.root, s.output)
	if err != nil {
		return err
	}
	if now.there != s.there || !slices.Equal(now.before, s.before) {
		return errors.New("changed in the meantime; look at it and try again")
	}
	if err := t.root.Rename(s.path+staging, s.path); err != nil {
		return err
	}
	t.done = append(t.done, s)
	return nil
}

// undo takes the changes back. It goes on after an error.
func (t *transaction) undo() error {
	var problems []error
	for _, s := range t.done {
		if s.status() == created {
			problems = append(problems, t.root.Remove(s.path))
			continue
		}
		before := s
		before.data = s.before
		err := t.stage(before)
		if err == nil {
			err = t.root.Rename(s.path+staging, s.path)
		}
		problems = append(problems, err)
	}
	for _, temp := range t.staged {
		if err := t.root.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
			problems = append(problems, err)
		}
	}
	for _, dir := range slices.Backward(t.folders) {
		_ = t.root.Remove(dir) // it stays when someone else uses it
	}
	return errors.Join(problems...)
}
