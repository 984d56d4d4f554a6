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

	"jobwright.dev/controller/action"
	"jobwright.dev/store/filedb"
)

// Undoing is the rollback of a deploy that did not succeed. The record is on disk before the
// rollback begins and goes when the rollback has ended, so that a recovery brings the
// rollback to its end and does not deploy the bad version once more.
type Undoing struct {
	Project string `json:"project"`
	Attempt string `json:"attempt"`
	// Revision is the number of the revision to bring back.
	Revision int64 `json:"revision"`
	// Services limits the rollback; nil: the whole revision.
	Services []string `json:"services,omitempty"`
	// Remove are the services that the revision lacks.
	Remove []string `json:"remove,omitempty"`
	// Since is when the job started; only containers made after that are removed.
	Since time.Time `json:"since"`
	// Drain is how long containers may take to stop.
	Drain time.Duration `json:"drain"`
	// Outcome is what the deploy came to.
	Outcome action.Outcome `json:"outcome"`
}

// undoingFolder lies beside the folders of projects; no project has such a name.
const undoingFolder = ".undoing"

func (s *Store) undoingPath(project string) string {
	return filepath.Join(s.dir, undoingFolder, project+".json")
}

// BeginUndo writes down that a rollback begins, and is on disk when it returns.
func (s *Store) BeginUndo(u Undoing) error {
	if !projectName.MatchString(u.Project) {
		return fmt.Errorf("write down the rollback of project %q: not a compose project's name", u.Project)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	err := filedb.Sweep(filepath.Join(s.dir, undoingFolder))
	if err == nil {
		err = filedb.WriteJSON(s.undoingPath(u.Project), u)
	}
	if err != nil {
		return fmt.Errorf("write down the rollback of project %s: %w", u.Project, err)
	}
	return nil
}

// UndoingBy is the rollback that an attempt has begun and not ended; ErrNotFound: there is
// none. A record that cannot be read is passed over: the next attempt deploys and is judged.
func (s *Store) UndoingBy(attempt string) (Undoing, error) {
	entries, err := os.ReadDir(filepath.Join(s.dir, undoingFolder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Undoing{}, fmt.Errorf("list rollbacks under way: %w", err)
	}
	for _, entry := range entries {
		project, ok := strings.CutSuffix(entry.Name(), ".json")
		if !ok {
			continue
		}
		data, err := os.ReadFile(s.undoingPath(project))
		if errors.Is(err, fs.ErrNotExist) {
			continue // another attempt's has ended meanwhile
		}
		if err != nil {
			return Undoing{}, fmt.Errorf("read the rollback of project %s: %w", project, err)
		}
		var u Undoing
		if json.Unmarshal(data, &u) == nil && u.Project == project && u.Attempt == attempt {
			return u, nil
		}
	}
	return Undoing{}, ErrNotFound
}

// EndUndo removes the record of a rollback that has ended.
func (s *Store) EndUndo(project string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := os.Remove(s.undoingPath(project)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("end the rollback of project %s: %w", project, err)
	}
	return nil
}
