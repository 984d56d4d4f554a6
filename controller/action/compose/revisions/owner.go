package revisions

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"jobwright.dev/store/filedb"
)

// Owner is the workspace that a compose project belongs to: the one that deployed it first.
type Owner struct {
	Workspace string    `json:"workspace"`
	Since     time.Time `json:"since"`
}

// ErrNoWorkspace means that there is no workspace of that name any more.
var ErrNoWorkspace = errors.New("no such workspace")

// ownersFolder lies beside the folders of projects; no project has such a name.
const ownersFolder = ".owners"

// judgedFile in ownersFolder says that the records of owners are complete: what has none is
// nobody's. A folder without the mark is new, restored, or of an earlier version.
const judgedFile = ".judged"

func (s *Store) judgedPath() string { return filepath.Join(s.dir, ownersFolder, judgedFile) }

func (s *Store) ownerPath(project string) string {
	return filepath.Join(s.dir, ownersFolder, project+".json")
}

// Owner is whose a project is; ErrNotFound: nobody has deployed it. A project that was
// deployed before owners were written down is that of its newest revision.
func (s *Store) Owner(project string) (Owner, error) {
	if !projectName.MatchString(project) {
		return Owner{}, ErrNotFound
	}
	data, err := os.ReadFile(s.ownerPath(project))
	if errors.Is(err, fs.ErrNotExist) {
		last, err := s.Last(project)
		if err != nil {
			return Owner{}, err
		}
		return Owner{Workspace: last.Workspace, Since: last.Time.Time}, nil
	}
	if err != nil {
		return Owner{}, fmt.Errorf("read the owner of project %s: %w", project, err)
	}
	var owner Owner
	if err := json.Unmarshal(data, &owner); err != nil || owner.Workspace == "" {
		return Owner{}, fmt.Errorf("read the owner of project %s: the record is damaged", project)
	}
	return owner, nil
}

// Own makes a workspace the owner of a project, and is on disk when it returns.
func (s *Store) Own(project, workspace string, now time.Time) error {
	if !projectName.MatchString(project) {
		return fmt.Errorf("own project %q: not a compose project's name", project)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	err := filedb.Sweep(filepath.Join(s.dir, ownersFolder))
	if err == nil {
		err = filedb.WriteJSON(s.ownerPath(project), Owner{Workspace: workspace, Since: now.UTC()})
	}
	if err != nil {
		return fmt.Errorf("own project %s: %w", project, err)
	}
	return nil
}

// Judged reports whether the records of owners are complete.
func (s *Store) Judged() (bool, error) {
	_, err := os.Stat(s.judgedPath())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read whose compose projects are: %w", err)
	}
	return true, nil
}

// Judge completes the records with the owners of projects that have none, and returns the
// names of those projects, sorted. Records that are there stay. After a failure, Judge can be
// repeated.
func (s *Store) Judge(owners map[string]Owner) (judged []string, err error) {
	for _, project := range slices.Sorted(maps.Keys(owners)) {
		if _, err := s.Owner(project); !errors.Is(err, ErrNotFound) {
			continue // a record that is damaged is no proof that there is none
		}
		if err := s.Own(project, owners[project].Workspace, owners[project].Since); err != nil {
			return judged, err
		}
		judged = append(judged, project)
	}
	return judged, nil
}

// MarkJudged has Judged report that the records are complete.
func (s *Store) MarkJudged() error {
	if err := filedb.WriteBytes(s.judgedPath(), nil); err != nil {
		return fmt.Errorf("write down whose compose projects are: %w", err)
	}
	return nil
}
