// Package loosetest has an engine that keeps no more than the contract of package store
// demands: it declares none of the features, counts versions for each kind by itself and
// makes uids that say nothing about time. What works over it works over any engine. It
// keeps everything in memory.
package loosetest

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
	"jobwright.dev/store/watchring"
)

// Store is an engine in memory.
type Store struct {
	mu     sync.RWMutex
	kinds  map[string]*kind
	closed chan struct{}
	once   sync.Once
}

var _ store.Store = (*Store)(nil)

// kind is the objects of one kind.
type kind struct {
	v1.Kind
	version uint64
	objects map[store.Key]v1.Object
	changes *watchring.Ring[change, *change]
}

// New returns an empty store.
func New() *Store { return (&Store{}).Reopen() }

// Reopen returns a store with the objects of s, which must be closed.
func (s *Store) Reopen() *Store {
	again := &Store{kinds: map[string]*kind{}, closed: make(chan struct{})}
	for i, k := range v1.Kinds() {
		// No two kinds have the same versions, so that none are taken for another's.
		opened := &kind{Kind: k, version: uint64(1+i) * 1_000_000, objects: map[store.Key]v1.Object{}}
		if before := s.kinds[k.Name]; before != nil {
			opened.version, opened.objects = before.version, before.objects
		}
		opened.changes = watchring.New[change](again.mu.RLocker(), again.closed, watchring.Limits{Bytes: 1 << 20, IdleBytes: 1 << 20, Events: 1 << 14})
		opened.changes.Begin(opened.version, opened.version, opened.version+1)
		again.kinds[k.Name] = opened
	}
	return again
}

// Close implements io.Closer.
func (s *Store) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

// Features implements store.Store: none.
func (*Store) Features() store.Features { return store.Features{} }

// of is the kind of that name, when the store is open.
func (s *Store) of(ctx context.Context, name string, unknown error) (*kind, error) {
	select {
	case <-s.closed:
		return nil, store.ErrClosed
	default:
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	k := s.kinds[name]
	if k == nil {
		return nil, fmt.Errorf("%w: unknown kind %q", unknown, name)
	}
	return k, nil
}

// record makes the record of an object.
func record(obj v1.Object) store.Record {
	encoding, err := json.Marshal(obj)
	if err != nil {
		panic(fmt.Sprintf("an object that was decoded cannot be encoded: %v", err))
	}
	version, _ := strconv.ParseUint(obj.GetResourceVersion(), 10, 64) // the store's own
	return store.NewRecord(store.KeyOf(obj), uuid.MustParse(string(obj.GetUID())), version, encoding)
}

// put stores obj, or removes the object with its key, as the next version, and tells.
// s.mu is held.
func (k *kind) put(event store.EventType, obj v1.Object) store.Record {
	key := store.KeyOf(obj)
	c := change{kind: event}
	if before := k.objects[key]; before != nil {
		c.before = before.GetLabels()
	}
	k.version++
	obj.SetResourceVersion(strconv.FormatUint(k.version, 10))
	if event == store.Deleted {
		delete(k.objects, key)
	} else {
		k.objects[key] = obj
	}
	c.record, c.after = record(obj), obj.GetLabels()
	k.changes.Add(c)
	k.changes.Wake()
	return c.record
}

// Get implements store.Store.
func (s *Store) Get(ctx context.Context, key store.Key) (store.Record, error) {
	k, err := s.of(ctx, key.Kind, store.ErrNotFound)
	if err != nil {
		return store.Record{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	obj := k.objects[key]
	if obj == nil {
		return store.Record{}, fmt.Errorf("get %s: %w", key, store.ErrNotFound)
	}
	return record(obj), nil
}

// Create implements store.Store.
func (s *Store) Create(ctx context.Context, objs ...v1.Object) ([]store.Record, error) {
	switch len(objs) {
	case 0:
		return nil, nil
	case 1:
	default:
		return nil, fmt.Errorf("create: %w: one object at a time", store.ErrInvalid)
	}
	obj := objs[0].DeepCopyObject().(v1.Object)
	key := store.KeyOf(obj)
	k, err := s.of(ctx, key.Kind, store.ErrInvalid)
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", key, err)
	}
	if key.Name == "" || k.Namespaced != (key.Namespace != "") {
		return nil, fmt.Errorf("create %s: %w: name or namespace", key, store.ErrInvalid)
	}
	obj.SetUID(types.UID(uuid.NewString()))
	obj.SetCreationTimestamp(metav1.NewTime(time.Now().Truncate(time.Second)))
	obj.SetGeneration(1)
	obj.SetDeletionTimestamp(nil)
	obj.Default()
	k.PrepareForCreate(obj, true)
	s.mu.Lock()
	defer s.mu.Unlock()
	if k.objects[key] != nil {
		return nil, fmt.Errorf("create %s: %w", key, store.ErrExists)
	}
	return []store.Record{k.put(store.Added, obj)}, nil
}

// current is the object that obj is to be written over. s.mu is held.
func (k *kind) current(obj v1.Object) (v1.Object, error) {
	if _, err := strconv.ParseUint(obj.GetResourceVersion(), 10, 64); err != nil {
		return nil, fmt.Errorf("%w: resourceVersion %q", store.ErrInvalid, obj.GetResourceVersion())
	}
	now := k.objects[store.KeyOf(obj)]
	switch {
	case now == nil:
		return nil, store.ErrNotFound
	case obj.GetResourceVersion() != now.GetResourceVersion(), obj.GetUID() != "" && obj.GetUID() != now.GetUID():
		return nil, store.ErrConflict
	}
	return now, nil
}

// write makes what change returns the next version of the object with obj's key.
func (s *Store) write(ctx context.Context, obj v1.Object, change func(now v1.Object) (v1.Object, error)) (store.Record, error) {
	key := store.KeyOf(obj)
	k, err := s.of(ctx, key.Kind, store.ErrNotFound)
	if err != nil {
		return store.Record{}, fmt.Errorf("update %s: %w", key, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now, err := k.current(obj)
	if err != nil {
		return store.Record{}, fmt.Errorf("update %s: %w", key, err)
	}
	next, err := change(now)
	if err != nil {
		return store.Record{}, fmt.Errorf("update %s: %w", key, err)
	}
	event := store.Modified
	switch {
	case next.GetDeletionTimestamp() != nil && len(next.GetFinalizers()) == 0:
		event = store.Deleted
	case encode(next) == encode(now):
		return record(now), nil
	}
	return k.put(event, next), nil
}

func encode(obj v1.Object) string { return string(record(obj).AppendJSON(nil)) }

// Update implements store.Store.
func (s *Store) Update(ctx context.Context, obj v1.Object) (store.Record, error) {
	return s.write(ctx, obj, func(now v1.Object) (v1.Object, error) {
		next := obj.DeepCopyObject().(v1.Object)
		next.SetUID(now.GetUID())
		next.SetCreationTimestamp(now.GetCreationTimestamp())
		next.SetGeneration(now.GetGeneration())
		next.SetDeletionTimestamp(now.GetDeletionTimestamp())
		next.SetDeletionGracePeriodSeconds(now.GetDeletionGracePeriodSeconds())
		k := s.kinds[store.KeyOf(now).Kind]
		next = k.WithStatus(next, now)
		if !reflect.DeepEqual(k.Spec(next), k.Spec(now)) {
			next.SetGeneration(now.GetGeneration() + 1)
		}
		return next, nil
	})
}

// UpdateStatus implements store.Store.
func (s *Store) UpdateStatus(ctx context.Context, obj v1.Object, _ store.Durability) (store.Record, error) {
	return s.write(ctx, obj, func(now v1.Object) (v1.Object, error) {
		k := s.kinds[store.KeyOf(now).Kind]
		next := k.WithStatus(now, obj)
		if err := k.ValidateStatus(next, now).ToAggregate(); err != nil {
			return nil, fmt.Errorf("%w: %w", store.ErrInvalid, err)
		}
		return next, nil
	})
}

// Delete implements store.Store.
func (s *Store) Delete(ctx context.Context, key store.Key, pre store.Preconditions) (store.Record, error) {
	k, err := s.of(ctx, key.Kind, store.ErrNotFound)
	if err != nil {
		return store.Record{}, fmt.Errorf("delete %s: %w", key, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := k.objects[key]
	if now == nil {
		return store.Record{}, fmt.Errorf("delete %s: %w", key, store.ErrNotFound)
	}
	before := record(now)
	if pre.UID != "" && pre.UID != before.UID() || pre.ResourceVersion != 0 && pre.ResourceVersion != before.ResourceVersion() {
		return store.Record{}, fmt.Errorf("delete %s: %w", key, store.ErrConflict)
	}
	next := now.DeepCopyObject().(v1.Object)
	if len(now.GetFinalizers()) == 0 {
		k.put(store.Deleted, next)
		return before, nil
	}
	if now.GetDeletionTimestamp() != nil {
		return before, nil
	}
	at, grace := metav1.Now().Rfc3339Copy(), int64(0)
	next.SetDeletionTimestamp(&at)
	next.SetDeletionGracePeriodSeconds(&grace)
	return k.put(store.Modified, next), nil
}
