package apicall

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"jobwright.dev/store/filedb"
)

// operation is what a request has begun and what is polled. It is on disk before it is
// waited for.
type operation struct {
	// Run is the key of the run that began it; another run begins another one.
	Run string `json:"run"`
	// Namespace and Job name the job; the file's name is its uid.
	Namespace string    `json:"namespace,omitempty"`
	Job       string    `json:"job,omitempty"`
	Attempt   string    `json:"attempt"`
	URL       string    `json:"url"`
	Began     time.Time `json:"began"`
}

const (
	// memoryTime is how long an operation is remembered of which nobody speaks any more:
	// more than any may take.
	memoryTime = 31 * 24 * time.Hour
	// afterlife is how long one that has ended stays remembered. Its job's outcome is on
	// disk by then; a server that dies before it is would take it for one that never was.
	afterlife = time.Minute
)

// memory is a folder with a file for each job that has an operation; without a folder
// nothing is remembered.
type memory struct {
	dir string

	mu    sync.Mutex
	ended []endedOperation // by time
}

type endedOperation struct {
	job types.UID
	at  time.Time
}

func (m *memory) path(job types.UID) string { return filepath.Join(m.dir, string(job)+".json") }

func (m *memory) usable(job types.UID) bool {
	return m.dir != "" && job != "" && filepath.IsLocal(string(job)) && filepath.Base(string(job)) == string(job)
}

// write returns when the operation is on disk.
func (m *memory) write(job types.UID, o operation) error {
	if !m.usable(job) {
		return nil
	}
	return filedb.WriteJSON(m.path(job), o)
}

// read returns a job's operation; nil: there is none.
func (m *memory) read(job types.UID) (*operation, error) {
	if !m.usable(job) {
		return nil, nil
	}
	return filedb.ReadJSON[*operation](m.path(job), nil)
}

func (m *memory) forget(job types.UID) error {
	if !m.usable(job) {
		return nil
	}
	if err := os.Remove(m.path(job)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// end has a job's operation forgotten once its outcome is known to be on disk, with one of
// the calls that follow.
func (m *memory) end(job types.UID, now time.Time) error {
	m.mu.Lock()
	m.ended = append(m.ended, endedOperation{job, now})
	var due []endedOperation
	for len(m.ended) > 0 && now.Sub(m.ended[0].at) > afterlife {
		due, m.ended = append(due, m.ended[0]), m.ended[1:]
	}
	m.mu.Unlock()
	var err error
	for _, o := range due {
		err = errors.Join(err, m.forget(o.job))
	}
	return err
}

// purge drops what nobody asks about any more.
func (m *memory) purge(now time.Time) error {
	if m.dir == "" {
		return nil
	}
	entries, err := os.ReadDir(m.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, entry := range entries {
		if info, infoErr := entry.Info(); infoErr == nil && now.Sub(info.ModTime()) > memoryTime {
			err = errors.Join(err, os.Remove(filepath.Join(m.dir, entry.Name())))
		}
	}
	return err
}
