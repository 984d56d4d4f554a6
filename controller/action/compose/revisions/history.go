package revisions

import (
	"errors"
	"fmt"
	"slices"

	"github.com/rogpeppe/go-internal/diff"

	v1 "jobwright.dev/api/v1"
)

// History is a workspace's revisions of a project, the newest first, each with the
// difference to the one before it, both with values masked. Revisions of other workspaces
// are not in it. A damaged
// file may be anybody's: only its number is told.
func (s *Store) History(workspace, project string) ([]v1.Revision, error) {
	numbers, err := s.Numbers(project)
	if err != nil {
		return nil, err
	}
	var out []v1.Revision
	var before *v1.Revision
	view := viewer{values: map[string][]string{}}
	owned := false
	for _, n := range numbers {
		r, err := s.Get(project, n)
		switch {
		case errors.Is(err, ErrNotFound):
			continue // dropped meanwhile
		case err != nil:
			out = append(out, v1.Revision{Number: n, Project: project, Services: []v1.RevisionService{}, Damaged: damage(err)})
			continue
		case r.Workspace != workspace:
			continue
		}
		owned = true
		shown := r.Revision
		file, err := view.composeFile(r)
		if err != nil {
			return nil, fmt.Errorf("revision %d of %s: %w", n, project, err)
		}
		shown.Compose = string(file)
		if before != nil {
			shown.Diff = string(diff.Diff(title(before), []byte(before.Compose), title(&shown), file))
		}
		out = append(out, shown)
		before = &shown
	}
	if !owned {
		return nil, nil
	}
	slices.Reverse(out)
	return out, nil
}

// Newest is the newest revision of each project that a workspace has any of, by the
// project's name.
func (s *Store) Newest(workspace string) ([]v1.Revision, error) {
	projects, err := s.Projects()
	if err != nil {
		return nil, err
	}
	var out []v1.Revision
	for _, project := range projects {
		history, err := s.History(workspace, project)
		if err != nil {
			return nil, err
		}
		if len(history) > 0 {
			out = append(out, history[0])
		}
	}
	return out, nil
}

func title(r *v1.Revision) string { return fmt.Sprintf("revision %d", r.Number) }

func damage(err error) string {
	if errors.Is(err, ErrDamaged) {
		return "the file is not what was written; the server's log and data folder have more"
	}
	return "the file cannot be read"
}
