package mcp

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"jobwright.dev/store/filedb"
)

// remembered is a task on a server behind HTTP, which outlives a worker that dies. It is
// written before the task is waited for, and gone when its attempt has an outcome.
type remembered struct {
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

// memory is a folder with a file for each job that has such a task; empty: nothing is
// remembered.
type memory string

func (m memory) path(job types.UID) string { return filepath.Join(string(m), string(job)+".json") }

func (m memory) usable(job types.UID) bool {
	return m != "" && job != "" && filepath.IsLocal(string(job)) && filepath.Base(string(job)) == string(job)
}

// write remembers a task, and is on disk when it returns. Whoever may read the file may go
// on with the session.
func (m memory) write(job types.UID, r remembered) error {
	if !m.usable(job) {
		return nil
	}
	return filedb.WriteJSON(m.path(job), r)
}

// read returns a job's task; nil: there is none.
func (m memory) read(job types.UID) (*remembered, error) {
	if !m.usable(job) {
		return nil, nil
	}
	return filedb.ReadJSON[*remembered](m.path(job), nil)
}

func (m memory) forget(job types.UID) error {
	if !m.usable(job) {
		return nil
	}
	if err := os.Remove(m.path(job)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// purge drops what no server keeps any more.
func (m memory) purge(now time.Time) error {
	if m == "" {
		return nil
	}
	entries, err := os.ReadDir(string(m))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, entry := range entries {
		if info, infoErr := entry.Info(); infoErr == nil && now.Sub(info.ModTime()) > taskTime {
			err = errors.Join(err, os.Remove(filepath.Join(string(m), entry.Name())))
		}
	}
	return err
}
