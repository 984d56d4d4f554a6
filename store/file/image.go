package file

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/go-logr/logr"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
	"jobwright.dev/store/journal"
	"jobwright.dev/store/vfs"
)

// image is the objects of a data folder at one version, as they were read from its files:
// what a Store goes on from, and all that fsck and restore need. Reading changes no file.
type image struct {
	fsys  vfs.FS
	dir   string
	log   logr.Logger
	kinds v1.KindSet
	// admit validates an object of a jobs.json that was edited by hand; nil: all are.
	admit func(v1.Object) error
	// acceptEdited: a valid jobs.json that was edited by hand is taken over.
	acceptEdited bool
	opened       time.Time
	lock         io.Closer

	intern  *interning
	sources *sources
	uids    *uidSource
	index   *index
	// visible is the version of the last change in index.
	visible uint64
	// loadedFrom is where the journal goes on behind jobs.json, as it was read.
	loadedFrom journal.From
	// edit is how jobs.json differed from what was written; nil: not at all.
	edit *Edit
}

// newImage returns an image of nothing.
func newImage(fsys vfs.FS, dir string, kinds v1.KindSet, log logr.Logger) image {
	return image{
		fsys: fsys, dir: dir, kinds: kinds, log: log, opened: time.Now(),
		intern: newInterning(), sources: newSources(fsys), uids: new(uidSource), index: newIndex(kinds),
	}
}

// reading is what of a data folder that no process has open, or of the file of a backup,
// is read.
type reading struct {
	fsys  vfs.FS
	kinds v1.KindSet
	// admit and acceptEdited are an image's.
	admit        func(v1.Object) error
	acceptEdited bool
	// version is how far; 0: to the end.
	version uint64
	// each is told about every record of the journal; nil: nobody is.
	each func(journal.Record)
}

// image reads what lies at path. state is that of the journal; a backup has none. The
// caller releases the image.
func (r reading) image(path string) (*image, *journal.State, error) {
	m := newImage(r.fsys, path, r.kinds, logr.Discard())
	m.admit, m.acceptEdited = r.admit, r.acceptEdited
	state, err := m.read(r.version, r.each)
	if err != nil {
		return nil, state, errors.Join(corruption(err), m.release())
	}
	return &m, state, nil
}

func (m *image) read(version uint64, each func(journal.Record)) (*journal.State, error) {
	if _, err := m.fsys.ReadDir(m.dir); err != nil {
		return nil, m.readBackup(version)
	}
	var err error
	if m.lock, err = lockToRead(m.fsys, m.dir); err != nil {
		return nil, err
	}
	l, err := m.load()
	if err != nil {
		return nil, err
	}
	m.edit = l.edit
	if version != 0 && version < m.visible {
		return nil, fmt.Errorf("%w: version %d lies before what jobs.json has, %d; restore an older backup",
			store.ErrExpired, version, m.visible)
	}
	snapshotVersion := m.visible
	state, err := journal.Scan(m.fsys, m.journalDir(), l.from, func(r journal.Record) error {
		if each != nil {
			each(r)
		}
		_, err := m.replayUntil(r, version)
		return err
	})
	if err == nil {
		err = m.belongs(l, state, snapshotVersion)
	}
	if err == nil {
		err = m.accepts(l.edit, filepath.Join(m.dir, snapshotName))
	}
	return state, err
}

// readBackup reads the file of a backup.
func (m *image) readBackup(version uint64) error {
	f, err := m.fsys.OpenRead(m.dir)
	if err != nil {
		return err
	}
	size, err := f.Size()
	if err == nil {
		err = m.loadWritten(f, m.dir, size)
	}
	if errors.Is(err, errEdited) {
		m.index, m.visible = newIndex(m.kinds), 0
		var l loaded
		if l, err = m.loadEdited(f, m.dir, size); err == nil {
			err = m.accepts(l.edit, m.dir)
		}
	}
	if err == nil && version != 0 && version != m.visible {
		err = fmt.Errorf("%w: the backup holds version %d alone", store.ErrExpired, m.visible)
	}
	return errors.Join(err, f.Close())
}

// release lets go of the files and the lock.
func (m *image) release() error {
	m.sources.closeAll()
	if m.lock == nil {
		return nil
	}
	return m.lock.Close()
}

func (m *image) journalDir() string { return filepath.Join(m.dir, journalName) }

// lockToRead keeps others out of a data folder that is only read. A disk that fails is
// often mounted read-only before its data is saved; there the lock is taken as it lies.
func lockToRead(fsys vfs.FS, dir string) (io.Closer, error) {
	lock, err := fsys.Lock(dir, lockName)
	if r, ok := fsys.(interface {
		LockRead(dir, name string) (io.Closer, error)
	}); ok && errors.Is(err, syscall.EROFS) {
		lock, err = r.LockRead(dir, lockName)
	}
	if errors.Is(err, vfs.ErrLocked) {
		err = inUse(err)
	}
	return lock, err
}

// inUse is the contract's error for a lock that another process holds.
func inUse(err error) error {
	return fmt.Errorf("%w: %s", store.ErrLocked, strings.TrimPrefix(err.Error(), vfs.ErrLocked.Error()+": "))
}

// corruption adds the contract's error to damage.
func corruption(err error) error {
	if _, ok := errors.AsType[*journal.Corrupt](err); ok {
		return fmt.Errorf("%w: %w", store.ErrCorrupt, err)
	}
	return err
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
