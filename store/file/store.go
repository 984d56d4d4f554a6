package file

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
	"jobwright.dev/store/journal"
	"jobwright.dev/store/vfs"
	"jobwright.dev/store/watchring"
)

// Options of a store; the zero value is ready to use.
type Options struct {
	// Log is told about what a person may want to know: a repaired end, an edited
	// jobs.json, a network filesystem, a write error. Unset: nobody is.
	Log logr.Logger
	// Registerer takes the metrics. Unset: they are not registered.
	Registerer prometheus.Registerer
	// Kinds are those that the store keeps. Unset: v1.Kinds().
	Kinds v1.KindSet
	// Admit validates an object of a jobs.json that was edited by hand. Unset: every
	// object of a known kind is admitted.
	Admit func(v1.Object) error
	// FS is the filesystem. Unset: the operating system's.
	FS vfs.FS
	// SegmentSize is the size of the journal's segments. 0: journal's default.
	SegmentSize int64
	// MinFree is how many bytes must be free on the disk for new work to be taken.
	// 0: DefaultMinFree; negative: not checked.
	MinFree int64
	// MaxObjectBytes limits one object's encoding. 0: DefaultMaxObjectBytes.
	MaxObjectBytes int
	// IdleDelay is how long after the last write jobs.json is rewritten. 0:
	// DefaultIdleDelay.
	IdleDelay time.Duration
	// Idle is called when jobs.json has been rewritten and nothing was written since: the
	// moment to give memory back. Unset: nothing is called.
	Idle func()
}

const (
	// DefaultMinFree leaves room for the journal's next segments and for the rewrite
	// of a small jobs.json; the rewrite of a large one is checked by itself.
	DefaultMinFree = 256 << 20
	// DefaultMaxObjectBytes is etcd's limit of a request, which clients of the
	// Kubernetes API know.
	DefaultMaxObjectBytes = 3 << 19
	// DefaultIdleDelay keeps the promise "within a second of going idle".
	DefaultIdleDelay = 500 * time.Millisecond
	// maxSoft is how many versions may be used up by soft writes that no disk has
	// seen; recovery skips as many.
	maxSoft = 4096
	// softDelay is how soon a soft write is written when no durable one comes.
	softDelay = 100 * time.Millisecond
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
	stale   atomic.Pointer[string] // why jobs.json was not rewritten; nil: it was
	closed  chan struct{}
	closing sync.Once

	checkpoints checkpointer
	disk        diskGuard
}

var _ store.Store = (*Store)(nil)

// failure is why the store takes no more writes.
type failure struct{ err error }

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
		opts.MaxObjectBytes = DefaultMaxObjectBytes
	}
	if opts.IdleDelay == 0 {
		opts.IdleDelay = DefaultIdleDelay
	}
	if opts.Log.GetSink() == nil {
		opts.Log = logr.Discard()
	}
	s := &Store{
		image: newImage(opts.FS, dir, opts.Kinds, opts.Log), opts: opts,
		overlay: map[store.Key]pending{}, closed: make(chan struct{}),
	}
	s.admit = opts.Admit
	s.events = watchring.New[event](s.mu.RLocker(), s.closed, ringLimits)
	s.metrics = newMetrics(s)
	if err := s.fsys.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("open store %s: %w", dir, err)
	}
	lock, err := s.fsys.Lock(filepath.Join(dir, lockName))
	switch {
	case errors.Is(err, vfs.ErrLocked):
		err = fmt.Errorf("%w: %w", store.ErrLocked, err)
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

// noteCheckpoint keeps what the last rewrite of jobs.json came to.
func (s *Store) noteCheckpoint(err error) {
	if err == nil || errors.Is(err, store.ErrClosed) {
		s.stale.Store(nil)
		return
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
	}
}

// warnNetwork says when the folder lies on another machine's disk.
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
