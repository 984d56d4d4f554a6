package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
	"jobwright.dev/store/journal"
	"jobwright.dev/store/vfs"
)

// Summary counts the contents of a backup or a restored store.
type Summary struct {
	// ResourceVersion is the version of the state that it holds.
	ResourceVersion uint64
	Objects         int
	Bytes           int64
}

// Backup writes a consistent copy of the store to w while it is in use: a jobs.json
// that is complete in itself. Restore makes a store of it; kubectl can read it. A store
// that is read-only after a write error can be backed up too.
func (s *Store) Backup(ctx context.Context, w io.Writer) (Summary, error) {
	if err := s.ready(ctx); err != nil {
		return Summary{}, fmt.Errorf("backup: %w", err)
	}
	// While the view is read, no rewrite of jobs.json may take its files away.
	s.checkpoints.writing.Lock()
	defer s.checkpoints.writing.Unlock()
	v, err := s.view()
	if s.failure.Load() != nil {
		v, err = new(view), nil
		s.takeView(v) // nothing is written or published any more
	}
	if err != nil {
		return Summary{}, fmt.Errorf("backup: %w", err)
	}
	v.segment, v.sequence = 0, 0
	size, err := s.encodeSnapshot(ctx, streamed{w}, v)
	if err != nil {
		return Summary{}, fmt.Errorf("backup: %w", err)
	}
	return Summary{ResourceVersion: v.rv, Objects: v.objects(), Bytes: size}, nil
}

// streamed is a file that is only written, from front to back.
type streamed struct{ w io.Writer }

func (f streamed) WriteAt(b []byte, _ int64) (int, error) { return f.w.Write(b) }
func (streamed) Datasync() error                          { return nil }
func (streamed) SetModTime(time.Time) error               { return nil }

// RestoreOptions configure Restore.
type RestoreOptions struct {
	// Version is the state to restore: that after the change with this version, or
	// the last one before it. 0: the latest there is. Only a data folder has more
	// than one: jobs.json and every change that its journal holds since.
	Version uint64
	// AcceptEdited restores a backup that was edited by hand, when it is valid.
	AcceptEdited bool
	// Admit validates an object of an edited one. Unset: every object of a known kind is
	// admitted.
	Admit func(v1.Object) error
	// FS is the filesystem. Unset: the operating system's.
	FS vfs.FS
	// Kinds are those that the store keeps. Unset: v1.Kinds().
	Kinds v1.KindSet
}

// restoredGap is what Restore adds to the version: it must lie above any that clients
// have seen of the store which is restored, so that they list anew. A billion changes
// are some weeks at full speed, and years as stores are used.
const restoredGap = 1_000_000_000

// Restore makes a new store in the folder to, from a backup or from a data folder that
// no process has open. It changes nothing there, and refuses a folder to that has a
// store already.
func Restore(from, to string, opts RestoreOptions) (Summary, error) {
	if opts.FS == nil {
		opts.FS = vfs.OS{}
	}
	if opts.Kinds == nil {
		opts.Kinds = v1.Kinds()
	}
	sum, err := restore(from, to, opts)
	if err != nil {
		return Summary{}, fmt.Errorf("restore %s to %s: %w", from, to, err)
	}
	return sum, nil
}

func restore(from, to string, opts RestoreOptions) (sum Summary, err error) {
	target := filepath.Join(to, snapshotName)
	for _, name := range []string{target, filepath.Join(to, journalName, journal.SegmentName(1))} {
		if there, err := exists(opts.FS, name); err == nil && there {
			return sum, fmt.Errorf("%w: %s; name a new folder", store.ErrExists, name)
		}
	}
	m, _, err := reading{fsys: opts.FS, kinds: opts.Kinds, admit: opts.Admit, acceptEdited: opts.AcceptEdited, version: opts.Version}.image(from)
	if err != nil {
		return sum, err
	}
	defer func() { err = errors.Join(err, m.release()) }()
	m.index.buildOrders()
	v := new(view)
	v.capture(m.index)
	v.rv = m.visible
	sum = Summary{ResourceVersion: v.rv, Objects: v.objects()}
	v.rv += restoredGap
	if err := opts.FS.MkdirAll(to); err != nil {
		return sum, err
	}
	m.dir = to
	sum.Bytes, err = m.replaceSnapshot(v)
	return sum, err
}

// Compact writes everything that the journal of a store that no process has open holds
// into its jobs.json.
func Compact(dir string, opts Options) error {
	s, err := Open(dir, opts)
	if err != nil {
		return err
	}
	return errors.Join(s.Checkpoint(context.Background()), s.Close())
}
