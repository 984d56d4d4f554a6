package memory

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/types"

	"jobwright.dev/store/filedb"
)

// Task is a task on a server behind HTTP, which outlives a worker that dies.
type Task struct {
	// Namespace and Job name the job; the file's name is its uid.
	Namespace string `json:"namespace,omitempty"`
	Job       string `json:"job,omitempty"`
	Attempt   string `json:"attempt"`
	Server    string `json:"server"`
	URL       string `json:"url"`
	Session   string `json:"session"`
	Protocol  string `json:"protocol"`
	Tool      string `json:"tool"`
	Task      string `json:"task"`
}

func (f Folder) taskPath(job types.UID) string {
	return filepath.Join(string(f), string(job)+".json")
}

// KeepTask writes a job's task; the task is on disk when KeepTask returns. Whoever may read
// the file may go on with the session.
func (f Folder) KeepTask(job types.UID, task Task) error {
	if !f.usable(job) {
		return nil
	}
	return filedb.WriteJSON(f.taskPath(job), task)
}

// Task returns a job's task; nil: there is none.
func (f Folder) Task(job types.UID) (*Task, error) {
	if !f.usable(job) {
		return nil, nil
	}
	return filedb.ReadJSON[*Task](f.taskPath(job), nil)
}

// ForgetTask removes a job's task.
func (f Folder) ForgetTask(job types.UID) error {
	if !f.usable(job) {
		return nil
	}
	if err := os.Remove(f.taskPath(job)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
