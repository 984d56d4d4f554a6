package file

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/go-logr/logr"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
	"jobwright.dev/store/journal"
	"jobwright.dev/store/vfs"
	"jobwright.dev/store/watchring"
)

// Names in the data folder.
const (
	snapshotName = "jobs.json"
	tempName     = "jobs.json.tmp"
	journalName  = "journal"
	lockName     = "lock"
)

// Store is the engine that keeps objects in jobs.json and a journal beside it.
type Store struct {
	// image is what the files had at the opening; mu guards its index and visible, which
	// are what readers see, from then on.
	image
	opts    Options
	metrics *metrics
	journal *journal.Journal

	// mu is taken after wmu, never before.
	mu     sync.RWMutex
	events *watchring.Ring[event, *event]

	// wmu guards the order of writes.
	wmu     sync.Mutex
	version uint64 // the last one given away
	overlay map[store.Key]pending
	batch   *batch
	leading bool
	shut    bool
	soft    int // soft versions since the last commit

	failure atomic.Pointer[failure]
	// unrotated is why the last segment that was needed could not be made; nil: it was.
	unrotated atomic.Pointer[failure]
	stale     atomic.Pointer[string] // why jobs.json was not rewritten; nil: it was
	closed    chan struct{}
	closing   sync.Once

	checkpoints checkpointer
	disk        diskGuard
}

var _ store.Store = (*Store)(nil)

// Open opens the store in dir, which is created when it does not exist, and recovers
// what was acknowledged. It answers store.ErrLocked when another process has the
// store open and store.ErrCorrupt when the files are not what was written; then
// nothing was changed.
func Open(dir string, opts Options) (*Store, error) {
	if opts.FS == nil {
		opts.FS = vfs.OS{}
	}
	if opts.Kinds == nil {
		opts.Kinds = v1.Kinds()
	}
	if opts.MinFree == 0 {
		opts.MinFree = DefaultMinFree
	}
	if opts.MaxObjectBytes == 0 {
		opts.MaxObjectBytes = defaultMaxObjectBytes
	}
	if opts.IdleDelay == 0 {
		opts.IdleDelay = defaultIdleDelay
	}
	if opts.Log.GetSink() == nil {
		opts.Log = logr.Discard()
	}
	s := &Store{
		image: newImage(opts.FS, dir, opts.Kinds, opts.Log), opts: opts,
		overlay: map[store.Key]pending{}, closed: make(chan struct{}),
	}
	s.admit, s.acceptEdited = opts.Admit, opts.AcceptEdited
	s.events = watchring.New[event](s.mu.RLocker(), s.closed, ringLimits)
	s.metrics = newMetrics(s)
	if err := s.fsys.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("open store %s: %w", dir, err)
	}
	lock, err := s.fsys.Lock(dir, lockName)
	switch {
	case errors.Is(err, vfs.ErrLocked):
		err = inUse(err)
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		err = fmt.Errorf("%w; the folder must be writable: mount it so, change its owner, or name another", err)
	}
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", dir, err)
	}
	s.lock = lock
	s.warnNetwork()
	edited, err := s.recover()
	if err != nil {
		s.sources.closeAll()
		if _, ok := errors.AsType[*journal.Corrupt](err); ok {
			err = fmt.Errorf("%w: %w", store.ErrCorrupt, err)
		}
		return nil, errors.Join(fmt.Errorf("open store %s: %w", dir, err), lock.Close())
	}
	if edited {
		// Its objects have new versions now, which must not be given twice.
		if err := s.checkpoint(); err != nil {
			return nil, errors.Join(fmt.Errorf("open store %s: %w", dir, err), s.Close())
		}
	}
	if err := s.metrics.register(opts.Registerer); err != nil {
		return nil, errors.Join(fmt.Errorf("open store %s: %w", dir, err), s.Close())
	}
	return s, nil
}

// Close writes what is not yet in jobs.json, and closes the files. Calls that wait
// are finished first; calls after it get store.ErrClosed.
func (s *Store) Close() error {
	var err error
	s.closing.Do(func() {
		s.wmu.Lock()
		s.shut = true
		s.wmu.Unlock()
		s.checkpoints.stop()
		if s.failure.Load() == nil {
			err = s.checkpointIfDirty()
		}
		s.flush()
		close(s.closed)
		s.metrics.unregister(s.opts.Registerer)
		err = errors.Join(err, s.journal.Close(), s.lock.Close())
		s.sources.closeAll()
	})
	if err != nil {
		return fmt.Errorf("close store %s: %w", s.dir, err)
	}
	return nil
}

// Features implements store.Store.
func (*Store) Features() store.Features {
	return store.Features{AtomicCreate: true, AtomicRerun: true, Verbatim: true, GivenIdentity: true, DeletedVersion: true}
}
