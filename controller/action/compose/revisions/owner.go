package revisions

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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
