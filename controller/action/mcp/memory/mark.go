package memory

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/types"

	"jobwright.dev/store/filedb"
)

// mark says that an attempt waits for its server to start, so that the attempt has not
// called its tool.
type mark struct {
	Attempt string `json:"attempt"`
}

func (f Folder) markPath(job types.UID) string {
	return filepath.Join(string(f), string(job)+".uncalled")
}

// Mark notes that an attempt of a job has not called its tool.
func (f Folder) Mark(job types.UID, attempt string) error {
	if !f.usable(job) {
		return nil
	}
	return filedb.WriteJSON(f.markPath(job), mark{attempt})
}

// Marked returns the attempt of a job that is marked; empty: none is.
func (f Folder) Marked(job types.UID) (attempt string, err error) {
	if !f.usable(job) {
		return "", nil
	}
	m, err := filedb.ReadJSON(f.markPath(job), mark{})
	return m.Attempt, err
}

// Unmark removes a job's mark, so that no crash brings the mark back.
func (f Folder) Unmark(job types.UID) error {
	if !f.usable(job) {
		return nil
	}
	if err := os.Remove(f.markPath(job)); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	folder, err := os.Open(string(f))
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}
