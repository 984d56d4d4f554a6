package watchring

import (
	"context"
	"fmt"

	"jobwright.dev/store"
)

// batch is how many changes a watch looks through before it returns what it has found:
// a reader that was away does not get all of the ring in one piece.
const batch = 1024

// watch is a place in a ring: no goroutine, no queue of its own.
type watch[T any, P interface {
	*T
	Change
}] struct {
	ring   *Ring[T, P]
	opts   store.WatchOptions
	next   uint64
	seen   uint64 // the version up to which the ring was looked through
	closed bool
}

// Watch returns a watch of what opts selects, or store.ErrExpired. The lock is not held.
func (r *Ring[T, P]) Watch(opts store.WatchOptions) (store.Watch, error) {
	r.lock.Lock()
	defer r.lock.Unlock()
	next, ok := r.find(opts.Since)
	if !ok {
		return nil, fmt.Errorf("watch from version %d: %w: the store is at %d and remembers back to %d",
			opts.Since, store.ErrExpired, r.last, r.floor)
	}
	return &watch[T, P]{ring: r, opts: opts, next: next, seen: opts.Since}, nil
}

// Next implements store.Watch.
func (w *watch[T, P]) Next(ctx context.Context) ([]store.Event, error) {
	for {
		select {
		case <-w.ring.closed:
			w.closed = true
		default:
		}
		if w.closed {
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
		case <-w.ring.closed:
		case <-ctx.Done():
		}
	}
}

// poll looks through what is there; when it has seen all, woken says when to come back.
func (w *watch[T, P]) poll() (events []store.Event, woken <-chan struct{}, err error) {
	r := w.ring
	r.lock.Lock()
	defer r.lock.Unlock()
	if w.next < r.first {
		return nil, nil, fmt.Errorf("watch: %w: it fell %d changes behind", store.ErrExpired, r.first-w.next)
	}
	end := min(r.next, w.next+batch)
	for ; w.next < end; w.next++ {
		p := r.at(w.next)
		w.seen = p.Version()
		if !selects(&w.opts, p.Key()) {
			continue
		}
		e, ok := p.Event(), true
		if w.opts.Labels != nil && !w.opts.Labels.Empty() {
			e.Type, ok = typeFor(&w.opts, p, e.Type)
		}
		if ok {
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

// selects reports whether opts, labels apart, select the object with that key.
func selects(opts *store.WatchOptions, key store.Key) bool {
	return key.Kind == opts.Kind &&
		(opts.Namespace == "" || key.Namespace == opts.Namespace) &&
		(opts.Name == "" || key.Name == opts.Name)
}

// typeFor is what a change of type t is for a watch with a label selector; false: the
// selector selects it neither before nor after the change.
func typeFor(opts *store.WatchOptions, c Change, t store.EventType) (store.EventType, bool) {
	before, after := c.Labels()
	does := opts.Labels.Matches(after)
	if t != store.Modified {
		return t, does
	}
	switch did := opts.Labels.Matches(before); {
	case does && !did:
		return store.Added, true
	case did && !does:
		return store.Deleted, true
	}
	return t, does
}

// Progress implements store.Watch.
func (w *watch[T, P]) Progress() uint64 { return w.seen }

// Close implements store.Watch.
func (w *watch[T, P]) Close() { w.closed = true }
