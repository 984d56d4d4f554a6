package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"

	"jobwright.dev/store"
	"jobwright.dev/store/logs"
)

// DefaultMaxBytes is the most output that is kept of one job: 64 MiB hold half a
// million lines, more than any person reads, and sixteen such jobs still fit beside
// everything else on a small disk.
const DefaultMaxBytes = 64 << 20

// Archive keeps the logs of all jobs below one folder. It implements logs.Store.
type Archive struct {
	root     *os.Root
	maxBytes int64

	// folders is held for writing while a workspace's folder is removed, for reading while
	// one is made and a file in it.
	folders sync.RWMutex

	mu      sync.Mutex
	waiting map[string]*waiters // by path

	closing sync.Once
	closed  chan struct{}
}

var _ logs.Store = (*Archive)(nil)

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
	return &Archive{root: root, maxBytes: maxBytes, waiting: map[string]*waiters{}, closed: make(chan struct{})}, nil
}

// Close gives up the archive's folder; followers end with store.ErrClosed. Writers and
// readers hold files of their own, until they are closed.
func (a *Archive) Close() error {
	var err error
	a.closing.Do(func() {
		close(a.closed)
		err = a.root.Close()
	})
	return err
}

// ready answers why a call cannot begin.
func (a *Archive) ready() error {
	select {
	case <-a.closed:
		return fmt.Errorf("log archive: %w", store.ErrClosed)
	default:
		return nil
	}
}

// Remove implements logs.Store.
func (a *Archive) Remove(_ context.Context, ref logs.Ref) error {
	name, err := a.pathOf(ref)
	if err != nil {
		return err
	}
	if err := a.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove log of job %s/%s: %w", ref.Workspace, ref.Job, err)
	}
	a.folders.Lock()
	defer a.folders.Unlock()
	_ = a.root.Remove(ref.Workspace) // only the last log's folder is empty
	return nil
}

// pathOf is the file of a log below the archive's folder, which must be open.
func (a *Archive) pathOf(ref logs.Ref) (string, error) {
	if err := a.ready(); err != nil {
		return "", err
	}
	file := ref.Job + "-" + string(ref.UID) + ".log"
	for _, element := range []string{ref.Workspace, file} {
		if element == "" || strings.ContainsAny(element, "/\\\x00") || element == "." || element == ".." {
			return "", fmt.Errorf("log of job %q in workspace %q: %w: neither may be a path", ref.Job, ref.Workspace, store.ErrInvalid)
		}
	}
	return path.Join(ref.Workspace, file), nil
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
