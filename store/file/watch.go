package file

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/labels"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

// watchBatch is how many events Next returns at most, so that a reader which was
// away does not get all of the ring in one piece.
const watchBatch = 1024

// watcher is a place in the ring. It costs nothing while nobody waits on it: no
// goroutine, no queue of its own.
type watcher struct {
	s      *Store
	opts   store.WatchOptions
	next   uint64
	closed bool
}

// Watch implements store.Store.
func (s *Store) Watch(ctx context.Context, opts store.WatchOptions) (store.Watch, error) {
	if err := s.ready(ctx); err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	if _, ok := v1.KindByName(opts.Kind); !ok {
		return nil, fmt.Errorf("watch: %w: unknown kind %q", store.ErrInvalid, opts.Kind)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	next, ok := s.events.find(opts.Since, s.visible)
	if !ok {
		return nil, fmt.Errorf("watch from version %d: %w: the store is at %d and remembers back to %d",
			opts.Since, store.ErrExpired, s.visible, s.events.floor)
	}
	return &watcher{s: s, opts: opts, next: next}, nil
}

// Next implements store.Watch.
func (w *watcher) Next(ctx context.Context) ([]store.Event, error) {
	for {
		if w.closed || w.s.isClosed() {
			return nil, fmt.Errorf("watch: %w", store.ErrClosed)
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		events, woken, err := w.poll()
		if err != nil || len(events) > 0 {
			return events, err
		}
		if woken == nil {
			continue // there is more to look through
		}
		select {
		case <-woken:
		case <-w.s.closed:
		case <-ctx.Done():
		}
	}
}

// poll looks through what is there; when it has seen all, woken says when to come
// back.
func (w *watcher) poll() (events []store.Event, woken <-chan struct{}, err error) {
	r := &w.s.events
	w.s.mu.RLock()
	defer w.s.mu.RUnlock()
	if w.next < r.first {
		return nil, nil, fmt.Errorf("watch: %w: it fell %d changes behind", store.ErrExpired, r.first-w.next)
	}
	end := min(r.next, w.next+watchBatch)
	for ; w.next < end; w.next++ {
		if e, ok := w.selects(r.at(w.next)); ok {
			if events == nil {
				events = make([]store.Event, 0, end-w.next)
			}
			events = append(events, e)
		}
	}
	if len(events) == 0 && w.next == r.next {
		woken = r.wait()
	}
	return events, woken, nil
}

// selects turns an event into what this watch sees of it.
func (w *watcher) selects(e *event) (store.Event, bool) {
	class := e.e.class
	if class.kind != w.opts.Kind ||
		w.opts.Namespace != "" && class.namespace != w.opts.Namespace ||
		w.opts.Name != "" && e.e.name != w.opts.Name {
		return store.Event{}, false
	}
	seen := store.Event{Type: eventTypes[e.kind], Record: e.e.record(e.encoding)}
	if w.opts.Labels == nil || w.opts.Labels.Empty() {
		return seen, true
	}
	matches := matches(w.opts.Labels, e.e.labels)
	switch e.kind {
	case added, deleted:
		return seen, matches
	case modified:
		did := w.opts.Labels.Matches(e.before)
		switch {
		case matches && !did:
			seen.Type = store.Added
		case !matches && did:
			seen.Type = store.Deleted
		case !matches:
			return seen, false
		}
	}
	return seen, true
}

// matches applies a selector to a set of labels, which may be nil.
func matches(selector labels.Selector, set *labelSet) bool { return selector.Matches(set) }

// Close implements store.Watch.
func (w *watcher) Close() { w.closed = true }
