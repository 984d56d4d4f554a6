package revisions

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Known are the projects that have revisions or an owner, sorted.
func (s *Store) Known() ([]string, error) {
	names, err := s.Projects()
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(filepath.Join(s.dir, ownersFolder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list projects with owners: %w", err)
	}
	for _, entry := range entries {
		if name, ok := strings.CutSuffix(entry.Name(), ".json"); ok && projectName.MatchString(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// Forget removes everything that is kept of a project. Its owner goes last: a Forget that is
// cut off can be repeated by whose the project is.
func (s *Store) Forget(project string) error {
	if !projectName.MatchString(project) {
		return fmt.Errorf("forget project %q: %w", project, ErrNotFound)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	err := os.RemoveAll(filepath.Join(s.dir, project))
	for _, record := range []string{s.underWayPath(project), s.undoingPath(project)} {
		if removed := os.Remove(record); removed != nil && !errors.Is(removed, fs.ErrNotExist) {
			err = errors.Join(err, removed)
		}
	}
	if err == nil {
		err = os.Remove(s.ownerPath(project))
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget project %s: %w", project, err)
	}
	return nil
}
