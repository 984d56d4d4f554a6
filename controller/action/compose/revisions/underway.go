package revisions

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"jobwright.dev/controller/action/compose/engine"
	"jobwright.dev/store/filedb"
)

// UnderWay is what is written down before docker compose changes a project, so that what it
// leaves when it is cut off can be repaired, by whoever comes next: the same attempt, the
// recovery after a crash, or the next attempt.
type UnderWay struct {
	Project string    `json:"project"`
	Attempt string    `json:"attempt"`
	Began   time.Time `json:"began"` // by the engine's clock
	// Verb is the deploy's.
	Verb string `json:"verb"`
	// Before are the project's containers before anything was done.
	Before []engine.Container `json:"before,omitempty"`
}

// underWayFolder lies beside the folders of projects; no project has such a name.
const underWayFolder = ".under-way"

func (s *Store) underWayPath(project string) string {
	return filepath.Join(s.dir, underWayFolder, project+".json")
}

// Begin writes down that an attempt changes a project, and is on disk when it returns.
func (s *Store) Begin(u UnderWay) error {
	if !projectName.MatchString(u.Project) {
		return fmt.Errorf("write down the deploy of project %q: not a compose project's name", u.Project)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	err := filedb.Sweep(filepath.Join(s.dir, underWayFolder))
	if err == nil {
		err = filedb.WriteJSON(s.underWayPath(u.Project), u)
	}
	if err != nil {
		return fmt.Errorf("write down the deploy of project %s: %w", u.Project, err)
	}
	return nil
}

// Interrupted is the deploy of a project that has begun and not ended; ErrNotFound: there is
// none. A record that cannot be read is none, and is said.
func (s *Store) Interrupted(project string) (UnderWay, error) {
	var u UnderWay
	data, err := os.ReadFile(s.underWayPath(project))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return u, ErrNotFound
	case err != nil:
		return u, fmt.Errorf("read what was deployed to project %s: %w", project, err)
	}
	if err := json.Unmarshal(data, &u); err != nil || u.Project != project {
		return u, fmt.Errorf("read what was deployed to project %s: the record is damaged", project)
	}
	return u, nil
}

// InterruptedBy is the deploy that an attempt has begun and not ended; ErrNotFound: there is
// none.
func (s *Store) InterruptedBy(attempt string) (UnderWay, error) {
	entries, err := os.ReadDir(filepath.Join(s.dir, underWayFolder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return UnderWay{}, fmt.Errorf("list deploys under way: %w", err)
	}
	for _, entry := range entries {
		project, ok := strings.CutSuffix(entry.Name(), ".json")
		if !ok {
			continue
		}
		if u, err := s.Interrupted(project); err == nil && u.Attempt == attempt {
			return u, nil
		}
	}
	return UnderWay{}, ErrNotFound
}

// End removes the record of a deploy whose project stands as told.
func (s *Store) End(project string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := os.Remove(s.underWayPath(project)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("end the deploy of project %s: %w", project, err)
	}
	return nil
}
