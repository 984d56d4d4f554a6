package apicall

import (
	"errors"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"jobwright.dev/controller/action/jobfiles"
)

// operation is the operation that a request began and that is polled. It is on disk before it is
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

// memory is the files of jobs that have an operation.
type memory struct {
	jobfiles.Folder[operation]

	mu    sync.Mutex
	ended []endedOperation // by time
}

type endedOperation struct {
	job types.UID
	at  time.Time
}

func newMemory(dir string) *memory {
	return &memory{Folder: jobfiles.Folder[operation]{Dir: dir, Suffix: ".json"}}
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
		err = errors.Join(err, m.Remove(o.job))
	}
	return err
}
