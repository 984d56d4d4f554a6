package logs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"jobwright.dev/controller/action"
)

// DefaultMaxBytes is the most output that is kept of one job: 64 MiB hold half a
// million lines, more than any person reads, and sixteen such jobs still fit beside
// everything else on a small disk.
const DefaultMaxBytes = 64 << 20

// Ref names the log of one job; UID keeps it apart from the log of another job
// that had the same name before.
type Ref struct {
	Workspace string
	Job       string
	UID       types.UID
}

func (r Ref) path() (string, error) {
	file := r.Job + "-" + string(r.UID) + ".log"
	for _, element := range []string{r.Workspace, file} {
		if element == "" || strings.ContainsAny(element, "/\\\x00") || element == "." || element == ".." {
			return "", fmt.Errorf("log of job %q in workspace %q: not a valid name", r.Job, r.Workspace)
		}
	}
	return path.Join(r.Workspace, file), nil
}

// Entry is one line of output.
type Entry struct {
	// Offset is the position after this entry; pass it to Reader.From to go on.
	Offset int64         `json:"offset"`
	Time   time.Time     `json:"time"`
	Stream action.Stream `json:"stream"`
	Text   string        `json:"text"`
}

// Archive keeps the logs of all jobs below one folder. It is safe for concurrent
// use.
type Archive struct {
	root     *os.Root
	maxBytes int64

	mu      sync.Mutex
	waiting map[string]*waiters // by path
}

// Open opens the archive in dir, which is created when it is missing. maxBytes
// bounds the log of one job; 0 means DefaultMaxBytes.
func Open(dir string, maxBytes int64) (*Archive, error) {
	if maxBytes <= 0 {
		maxBytes = DefaultMaxBytes
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open log archive: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open log archive: %w", err)
	}
	return &Archive{root: root, maxBytes: maxBytes, waiting: map[string]*waiters{}}, nil
}

// Close gives up the archive's folder. Writers and readers must be closed before.
func (a *Archive) Close() error { return a.root.Close() }

// Remove deletes a job's log; it is no error when there is none.
func (a *Archive) Remove(ref Ref) error {
	name, err := ref.path()
	if err != nil {
		return err
	}
	if err := a.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove log of job %s/%s: %w", ref.Workspace, ref.Job, err)
	}
	return nil
}

// waiters are the followers that wait for one file to grow.
type waiters struct {
	grown chan struct{} // closed when it has
	n     int
}

// wait joins those who wait for the file to grow; each either sees grown closed or
// leaves.
func (a *Archive) wait(name string) *waiters {
	a.mu.Lock()
	defer a.mu.Unlock()
	w, ok := a.waiting[name]
	if !ok {
		w = &waiters{grown: make(chan struct{})}
		a.waiting[name] = w
	}
	w.n++
	return w
}

func (a *Archive) leave(name string, w *waiters) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if w.n--; w.n == 0 && a.waiting[name] == w {
		delete(a.waiting, name)
	}
}

// announce wakes everyone who waits for the file to grow.
func (a *Archive) announce(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if w, ok := a.waiting[name]; ok {
		close(w.grown)
		delete(a.waiting, name)
	}
}
