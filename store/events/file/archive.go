package file

import (
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"os"
	"slices"
	"sync"
	"time"

	"jobwright.dev/store"
	"jobwright.dev/store/events"
)

// Archive keeps events in a folder. It implements events.Store.
type Archive struct {
	Options
	root       *os.Root
	hasher     hasher
	metrics    *metrics
	maxSegment int64

	wake chan struct{} // tells the writer that something is pending
	done chan struct{} // closed when the writer has ended

	mu       sync.Mutex
	pending  batch
	segments []*segment // oldest first; the last is written to
	seq      uint64     // the last number that was given
	settled  uint64     // the last number that was written or given up
	grown    chan struct{}
	closed   bool
	dropping bool // ErrFull was logged, and none was taken since
}

var (
	_ events.Store  = (*Archive)(nil)
	_ events.Keeper = (*Archive)(nil)
)

// Open opens the archive and starts its writer, which Close ends.
func Open(opts Options) (*Archive, error) {
	if opts.MaxBytes <= 0 {
		opts.MaxBytes = DefaultMaxBytes
	}
	opts.MaxBytes = max(opts.MaxBytes, minMaxBytes)
	if opts.PerJob <= 0 {
		opts.PerJob = defaultPerJob
	}
	if err := os.MkdirAll(opts.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("open event archive: %w", err)
	}
	root, err := os.OpenRoot(opts.Dir)
	if err != nil {
		return nil, fmt.Errorf("open event archive: %w", err)
	}
	a := &Archive{
		Options: opts, root: root, hasher: hasher{maphash.MakeSeed()}, maxSegment: max(opts.MaxBytes/shares, minSegment),
		wake: make(chan struct{}, 1), done: make(chan struct{}), grown: make(chan struct{}),
	}
	a.metrics = newMetrics(a)
	if opts.Registerer != nil {
		if err := opts.Registerer.Register(a.metrics); err != nil {
			root.Close()
			return nil, fmt.Errorf("open event archive: register metrics: %w", err)
		}
	}
	active, err := a.recover()
	if err != nil {
		root.Close()
		return nil, fmt.Errorf("open event archive %s: %w", opts.Dir, err)
	}
	a.settled = a.seq
	go a.write(active)
	return a, nil
}

// recover finds the segments and the last number, and opens the last segment for
// appending, behind its last complete line. Without one that can be appended to, the
// first write makes a new one.
func (a *Archive) recover() (*os.File, error) {
	names, err := fs.ReadDir(a.root.FS(), ".")
	if err != nil {
		return nil, err
	}
	for _, found := range names {
		first, ok := firstOf(found.Name())
		if !ok {
			continue
		}
		info, err := found.Info()
		if err != nil || !info.Mode().IsRegular() {
			a.damaged(found.Name(), 0, errors.Join(err, errors.New("not a regular file")))
			a.seq = max(a.seq, first) // its name is taken
			continue
		}
		a.segments = append(a.segments, &segment{first: first, size: info.Size()})
	}
	slices.SortFunc(a.segments, func(x, y *segment) int {
		if x.first < y.first {
			return -1
		}
		return 1
	})
	if len(a.segments) == 0 {
		return nil, nil
	}
	last := a.segments[len(a.segments)-1]
	file, err := a.reopen(last)
	if err != nil {
		// It may hold as many events as its bytes have room for; their numbers are
		// not given again.
		a.damaged(last.name(), 0, err)
		last.index, last.indexed = nil, true
		a.seq = max(a.seq, last.first+uint64(last.size)/64+1)
		return nil, nil
	}
	a.seq = max(a.seq, last.first+uint64(len(last.index))-1)
	if last.next() <= a.seq {
		file.Close() // its next number is taken by a name
		return nil, nil
	}
	return file, nil
}

// reopen makes the index of the last segment and cuts its torn end.
func (a *Archive) reopen(last *segment) (*os.File, error) {
	file, err := a.root.OpenFile(last.name(), os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	index, size, damaged, err := a.hasher.readIndex(file)
	if err == nil && size < last.size {
		err = file.Truncate(size)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	if damaged > 0 {
		a.damaged(last.name(), damaged, nil)
	}
	last.index, last.indexed, last.size = index, true, size
	return file, nil
}

// damaged counts and logs what cannot be read of a segment.
func (a *Archive) damaged(name string, lines int, err error) {
	a.metrics.damaged.Add(float64(max(lines, 1)))
	if err != nil {
		a.metrics.errors.Inc()
	}
	a.Log.Info("events cannot be read and are passed over", "file", name, "lines", lines, "error", fmt.Sprint(err))
}

// Close writes pending events and releases the folder. Followers end with ErrClosed.
func (a *Archive) Close() error {
	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		return nil
	}
	a.closed = true
	a.mu.Unlock()
	a.signal()
	<-a.done
	a.mu.Lock()
	close(a.grown)
	a.mu.Unlock()
	return a.root.Close()
}

// signal wakes the writer.
func (a *Archive) signal() {
	select {
	case a.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// batch holds the events that wait to be written.
type batch struct {
	data  []byte
	index []position // offsets within data
	first uint64
}

// Append implements events.Store.
func (a *Archive) Append(event events.Event) error {
	if err := event.Complete(time.Now()); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return store.ErrClosed
	}
	p := &a.pending
	start := len(p.data)
	p.data = appendLine(p.data, &event)
	switch {
	case len(p.data)-start > maxLine:
		p.data = p.data[:start]
		return fmt.Errorf("event %s of job %q: %w: more than %d bytes", event.Reason, event.Job[:min(len(event.Job), 64)], store.ErrInvalid, maxLine)
	case len(p.data) > maxPending || int64(len(p.data)) > a.maxSegment:
		p.data = p.data[:start]
		return events.ErrFull
	}
	a.dropping = false
	a.seq++
	if len(p.index) == 0 {
		p.first = a.seq
		a.signal()
	}
	p.index = append(p.index, a.hasher.position(event.Workspace, event.Job, event.UID, int64(start)))
	return nil
}

// Record implements events.Recorder. A full buffer is logged once until there is room
// again.
func (a *Archive) Record(event events.Event) {
	err := a.Append(event)
	if err == nil {
		return
	}
	a.metrics.dropped.Inc()
	if errors.Is(err, events.ErrFull) {
		a.mu.Lock()
		known := a.dropping
		a.dropping = true
		a.mu.Unlock()
		if known {
			return
		}
	}
	a.Log.Error(err, "an event was dropped", "workspace", event.Workspace, "job", event.Job, "reason", event.Reason)
}
