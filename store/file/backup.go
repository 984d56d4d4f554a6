package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"syscall"
	"time"

	"github.com/go-logr/logr"

	"jobwright.dev/store"
	"jobwright.dev/store/journal"
	"jobwright.dev/store/vfs"
)

// Summary is what a backup or a restored store holds.
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
		s.takeView(v) // nothing is written or shown any more
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

// RestoreOptions say what Restore does.
type RestoreOptions struct {
	// Version is the state to restore: that after the change with this version, or
	// the last one before it. 0: the latest there is. Only a data folder has more
	// than one: jobs.json and every change that its journal holds since.
	Version uint64
	// FS is the filesystem. Unset: the operating system's.
	FS vfs.FS
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
	sum, err := restore(from, to, opts)
	if err != nil {
		return Summary{}, fmt.Errorf("restore %s to %s: %w", from, to, err)
	}
	return sum, nil
}

func restore(from, to string, opts RestoreOptions) (sum Summary, err error) {
	target := filepath.Join(to, snapshotName)
	for _, name := range []string{target, filepath.Join(to, journalName, journal.SegmentName(1))} {
		f, err := opts.FS.OpenRead(name)
		if err == nil {
			_ = f.Close()
			return sum, fmt.Errorf("%w: %s; name a new folder", store.ErrExists, name)
		}
	}
	s, _, err := readOnly(from, opts.FS, opts.Version, nil)
	if err != nil {
		return sum, err
	}
	defer func() { err = errors.Join(err, s.release()) }()
	s.index.buildOrders()
	v := new(view)
	v.capture(s.index)
	v.rv = s.visible
	sum = Summary{ResourceVersion: v.rv, Objects: v.objects()}
	v.rv += restoredGap
	if err := opts.FS.MkdirAll(to); err != nil {
		return sum, err
	}
	s.dir = to
	sum.Bytes, err = s.replaceSnapshot(v)
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

// readOnly reads a data folder, or the file of a backup, up to a version (0: to the
// end) and changes nothing. each is told about every record of the journal.
func readOnly(path string, fsys vfs.FS, version uint64, each func(journal.Record)) (s *Store, state *journal.State, err error) {
	s = &Store{
		fsys: fsys, dir: path, log: logr.Discard(), opened: time.Now(),
		intern: newInterning(), sources: newSources(fsys), index: newIndex(), uids: new(uidSource),
	}
	if _, err := fsys.ReadDir(path); err != nil {
		return s, nil, s.loadBackup(path, version)
	}
	if s.lock, err = lockToRead(fsys, filepath.Join(path, lockName)); err != nil {
		return s, nil, err
	}
	l, err := s.load()
	if err != nil {
		return s, nil, errors.Join(corruption(err), s.release())
	}
	if version != 0 && version < s.visible {
		return s, nil, errors.Join(fmt.Errorf("%w: version %d lies before what jobs.json has, %d; restore an older backup",
			store.ErrExpired, version, s.visible), s.release())
	}
	state, err = journal.Scan(fsys, s.journalDir(), l.from, func(r journal.Record) error {
		if each != nil {
			each(r)
		}
		_, err := s.replayUntil(r, version)
		return err
	})
	if err != nil {
		return s, state, errors.Join(corruption(err), s.release())
	}
	return s, state, nil
}

// lockToRead keeps others out of a data folder that is only read. A disk that fails is
// often mounted read-only before its data is saved; there the lock is taken as it lies.
func lockToRead(fsys vfs.FS, name string) (io.Closer, error) {
	lock, err := fsys.Lock(name)
	if r, ok := fsys.(interface {
		LockRead(name string) (io.Closer, error)
	}); ok && errors.Is(err, syscall.EROFS) {
		lock, err = r.LockRead(name)
	}
	if errors.Is(err, vfs.ErrLocked) {
		err = fmt.Errorf("%w: %w", store.ErrLocked, err)
	}
	return lock, err
}

// loadBackup reads the file of a backup.
func (s *Store) loadBackup(path string, version uint64) error {
	f, err := s.fsys.OpenRead(path)
	if err != nil {
		return err
	}
	size, err := f.Size()
	if err == nil {
		err = s.loadWritten(f, path, size)
	}
	if errors.Is(err, errEdited) {
		s.index, s.visible = newIndex(), 0
		_, err = s.loadEdited(f, path, size)
	}
	if err == nil && version != 0 && version != s.visible {
		err = fmt.Errorf("%w: the backup holds version %d alone", store.ErrExpired, s.visible)
	}
	return errors.Join(corruption(err), f.Close())
}

// corruption adds the contract's error to damage.
func corruption(err error) error {
	if _, ok := errors.AsType[*journal.Corrupt](err); ok {
		return fmt.Errorf("%w: %w", store.ErrCorrupt, err)
	}
	return err
}

// release lets go of what readOnly has opened.
func (s *Store) release() error {
	s.sources.closeAll()
	if s.lock == nil {
		return nil
	}
	return s.lock.Close()
}

// exists reports whether there is a file of that name.
func exists(fsys vfs.FS, name string) (bool, error) {
	f, err := fsys.OpenRead(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, f.Close()
}
