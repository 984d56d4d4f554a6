package controller

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/uuid"

	"jobwright.dev/store"
)

// pageSize is how many objects are listed at once: enough that the pages cost nothing
// beside the objects, few enough that a page takes a megabyte.
const pageSize = 1000

// reconnect is how long a Source waits before it lists or watches again: short enough
// that a passing error is hardly noticed, long enough that a store that is away for an
// hour is not asked all the time.
var reconnect = Backoff{Min: 100 * time.Millisecond, Max: 5 * time.Second}

// Source follows the objects of one kind: it lists them once, and then delivers every
// change.
type Source struct {
	// List selects what is listed at first, e.g. jobs that are not terminal; Kind is
	// required. The watch is not limited: it delivers every change of the kind.
	List store.ListOptions
	// Prepare runs before the first list, and is tried again like the list; nil: nothing
	// has to be prepared.
	Prepare func(context.Context) error
	Handler Handler
}

// Handler receives the changes of a Source. Its methods are called one at a time.
type Handler interface {
	// Handle receives changes, in order. Listed objects come as Modified.
	Handle(changes []store.Event)
	// Listed is called after every object that the list selects at version has been handled.
	// An object known before and not shown has ended or was deleted meanwhile. shown is nil
	// for the first list: nothing was known before.
	Listed(version uint64, shown func(uuid.UUID) bool)
}

// Follow delivers until ctx ends, which is no error, or the store is closed. A list or
// watch that fails otherwise is begun again, after a wait that grows with each failure in a
// row: the watch where it broke off, and, where the store no longer knows that version, the
// list. A watch that is too old each time the list is done counts as failing, whatever it
// has delivered.
func (s Source) Follow(ctx context.Context, from Store, log logr.Logger) error {
	f := &following{Source: s, store: from}
	for failures := 0; ; {
		err := f.once(ctx)
		expired := errors.Is(err, store.ErrExpired)
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // being told to end is none, whatever it broke off
		case errors.Is(err, store.ErrClosed):
			return err
		case f.lasted, f.moved && !expired:
			failures = 0
		}
		f.moved, f.lasted, f.failed = false, false, true
		failures++
		wait := reconnect.Jittered(failures)
		if expired {
			f.version = 0
		}
		if doubled(failures) {
			s.complain(log, err, failures, wait)
		}
		if !sleep(ctx, wait) {
			return nil
		}
	}
}

// complain logs why the store could not be followed that many times in a row.
func (s Source) complain(log logr.Logger, err error, failures int, wait time.Duration) {
	if errors.Is(err, store.ErrExpired) {
		log.Info("a watch fell behind what the store remembers; listing anew", "kind", s.List.Kind, "failures", failures, "in", wait.String())
		return
	}
	log.Error(err, "the store cannot be followed; trying again", "kind", s.List.Kind, "failures", failures, "in", wait.String())
}

// Resumer is a Handler that is told when the store can be followed again after a failure:
// writes that failed meanwhile need not wait for their back-off.
type Resumer interface{ Resumed() }

// followAll follows sources until ctx ends or the store is closed. Each is followed once
// the one before it has been listed: what comes first is known to what comes later.
func followAll(ctx context.Context, from Store, log logr.Logger, sources ...Source) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, len(sources))
	begun := 0
	for _, source := range sources {
		known := &knownHandler{Handler: source.Handler, known: make(chan struct{})}
		source.Handler = known
		begun++
		go func() {
			defer cancel()
			ended <- source.Follow(ctx, from, log)
		}()
		select {
		case <-known.known:
			continue
		case <-ctx.Done():
		}
		break
	}
	var err error
	for range begun {
		err = errors.Join(err, <-ended)
	}
	return err
}

// knownHandler tells when the first list has been handled.
type knownHandler struct {
	Handler
	known chan struct{} // closed then
	once  sync.Once
}

func (h *knownHandler) Listed(version uint64, shown func(uuid.UUID) bool) {
	h.Handler.Listed(version, shown)
	h.once.Do(func() { close(h.known) })
}

// Resumed implements Resumer.
func (h *knownHandler) Resumed() {
	if r, ok := h.Handler.(Resumer); ok {
		r.Resumed()
	}
}

// following is a Source on its way.
type following struct {
	Source
	store   Store
	version uint64 // of the last change or list that was delivered; 0: list first
	listed  bool   // at least once
	moved   bool   // something was delivered since the last failure
	lasted  bool   // the watch went on for longer than any wait
	failed  bool   // and has not been resumed
}

// once lists, if it has to, and watches until something fails.
func (f *following) once(ctx context.Context) error {
	if f.Prepare != nil {
		if err := f.Prepare(ctx); err != nil {
			return err
		}
		f.Prepare = nil
	}
	if f.version == 0 {
		if err := f.list(ctx); err != nil {
			return fmt.Errorf("list %s: %w", f.List.Kind, err)
		}
	}
	if err := f.watch(ctx); err != nil {
		return fmt.Errorf("watch %s: %w", f.List.Kind, err)
	}
	return nil
}

// list delivers what there is, page by page. What changes while the pages are read comes
// with the watch, which begins at the first page's version; it delivers again what later
// pages have shown.
func (f *following) list(ctx context.Context) error {
	opts := f.List
	opts.Limit, opts.Continue = pageSize, ""
	var shown map[uuid.UUID]bool // of the first list nobody asks
	if f.listed {
		shown = map[uuid.UUID]bool{}
	}
	var version uint64
	for {
		page, err := f.store.List(ctx, opts)
		if err != nil {
			return err
		}
		if opts.Continue == "" {
			version = page.ResourceVersion
		}
		changes := make([]store.Event, len(page.Items))
		for i, record := range page.Items {
			changes[i] = store.Event{Type: store.Modified, Record: record}
			if shown != nil {
				shown[record.UUID()] = true
			}
		}
		f.Handler.Handle(changes)
		if opts.Continue = page.Continue; opts.Continue == "" {
			break
		}
	}
	var has func(uuid.UUID) bool
	if shown != nil {
		has = func(uid uuid.UUID) bool { return shown[uid] }
	}
	f.Handler.Listed(version, has)
	f.version, f.listed = version, true
	return nil
}

// watch delivers changes until something fails.
func (f *following) watch(ctx context.Context) error {
	watch, err := f.store.Watch(ctx, store.WatchOptions{Kind: f.List.Kind, Since: f.version})
	if err != nil {
		return err
	}
	defer watch.Close()
	if r, ok := f.Handler.(Resumer); ok && f.failed {
		r.Resumed()
	}
	f.failed = false
	began := time.Now()
	for {
		changes, err := watch.Next(ctx)
		if err != nil {
			f.lasted = time.Since(began) > reconnect.Max
			f.version = max(f.version, watch.Progress()) // also what was not selected
			return err
		}
		f.Handler.Handle(changes)
		f.version, f.moved = watch.Progress(), true
	}
}
