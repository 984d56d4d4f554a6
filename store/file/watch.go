package file

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/labels"

	"jobwright.dev/store"
	"jobwright.dev/store/watchring"
)

// ringLimits bound the changes that are kept for watches: under load what half a second
// at full speed makes, which is how far a watch may lag.
var ringLimits = watchring.Limits{Bytes: 32 << 20, IdleBytes: 1 << 20, Events: 1 << 16}

// event is one change, an element of the ring. There may be as many as the ring takes,
// so it is small.
type event struct {
	kind eventKind
	// e is the object as it is now, or as it was last, at the version of its deletion.
	// Its encoding stays in memory as long as the event does, so that what was written
	// lately is read without a system call.
	e        *entry
	encoding []byte
	// before are the labels that it had.
	before *labelSet
}

var _ watchring.Change = (*event)(nil)

// eventKind is a store.EventType.
type eventKind uint8

const (
	added eventKind = iota
	modified
	deleted
)

var eventTypes = [...]store.EventType{added: store.Added, modified: store.Modified, deleted: store.Deleted}

// Key implements watchring.Change.
func (v *event) Key() store.Key { return v.e.key() }

// Version implements watchring.Change.
func (v *event) Version() uint64 { return v.e.rv }

// Event implements watchring.Change.
func (v *event) Event() store.Event {
	return store.Event{Type: eventTypes[v.kind], Record: v.e.record(v.encoding)}
}

// Labels implements watchring.Change.
func (v *event) Labels() (before, after labels.Labels) { return v.before, v.e.labels }

// Bytes implements watchring.Change.
func (v *event) Bytes() int { return len(v.encoding) }

// Forget implements watchring.Change.
func (v *event) Forget() { v.e.forget() }

// Watch implements store.Store.
func (s *Store) Watch(ctx context.Context, opts store.WatchOptions) (store.Watch, error) {
	if err := s.ready(ctx); err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	if _, ok := s.kinds.ByName(opts.Kind); !ok {
		return nil, fmt.Errorf("watch: %w: unknown kind %q", store.ErrInvalid, opts.Kind)
	}
	return s.events.Watch(opts)
}
