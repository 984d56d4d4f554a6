package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"jobwright.dev/store"
)

// failure is why the store takes no more writes.
type failure struct{ err error }

// Health answers why the store takes no more writes, wrapping store.ErrReadOnly, or
// store.ErrClosed; nil when all is well.
func (s *Store) Health() error {
	if s.isClosed() {
		return store.ErrClosed
	}
	if f := s.failure.Load(); f != nil {
		return f.err
	}
	return nil
}

// Ready answers why the store would take no new work now: what Health says, a disk that is
// full, a segment that cannot be made, or files that are not where they were opened.
func (s *Store) Ready() error {
	if err := s.Health(); err != nil {
		return err
	}
	if err := s.inPlace(); err != nil {
		return err
	}
	if err := s.disk.check(s); err != nil {
		return err
	}
	if f := s.unrotated.Load(); f != nil {
		return f.err
	}
	return nil
}

// noteCheckpoint keeps what the last rewrite of jobs.json came to.
func (s *Store) noteCheckpoint(err error) {
	if err == nil || errors.Is(err, store.ErrClosed) {
		s.stale.Store(nil)
		return
	}
	if errors.Is(err, store.ErrReadOnly) {
		return // Ready says so as long as it is true
	}
	// The path is in the log; who asks for notices need not know where the data lies.
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		err = at.Err
	} else if between, ok := errors.AsType[*os.LinkError](err); ok {
		err = between.Err
	}
	note := fmt.Sprintf("jobs.json cannot be written: %v; no job is lost, the journal holds what is newer, and grows; make the data folder writable", err)
	s.stale.Store(&note)
}

// Notices are what an operator should know of a store that works all the same.
func (s *Store) Notices() []string {
	if note := s.stale.Load(); note != nil {
		return []string{*note}
	}
	return nil
}

func (s *Store) isClosed() bool {
	select {
	case <-s.closed:
		return true
	default:
		return false
	}
}

// ready answers why a call cannot begin.
func (s *Store) ready(ctx context.Context) error {
	if s.isClosed() {
		return store.ErrClosed
	}
	return ctx.Err()
}

// fail makes the store read-only.
func (s *Store) fail(cause error) {
	err := fmt.Errorf("%w: %w", store.ErrReadOnly, cause)
	if s.failure.CompareAndSwap(nil, &failure{err}) {
		s.metrics.writeErrors.Inc()
		s.log.Error(cause, "The store is read-only after a write error")
		go s.healLater() // ends with the store
	}
}

// warnNetwork logs when the folder lies on another machine's disk.
func (s *Store) warnNetwork() {
	n, ok := s.fsys.(interface {
		Network(dir string) (string, error)
	})
	if !ok {
		return
	}
	kind, err := n.Network(s.dir)
	switch {
	case err != nil:
		s.log.Error(err, "The filesystem of the data folder is unknown")
	case kind != "":
		s.log.Info("The data folder lies on a network filesystem, where locks and syncs may not hold what they promise; put it on a local disk",
			"dir", s.dir, "filesystem", kind)
	}
}
