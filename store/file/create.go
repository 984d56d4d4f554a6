package file

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

// Create implements store.Store.
func (s *Store) Create(ctx context.Context, objs ...v1.Object) ([]store.Record, error) {
	if len(objs) == 0 {
		return nil, nil
	}
	if len(objs) == 1 {
		return s.createOne(ctx, objs[0])
	}
	entries, encodings, err := s.prepareAll(objs)
	if err != nil {
		return nil, err
	}
	size := 0
	for _, enc := range encodings {
		size += enc.len() + recordOverhead
	}
	if size > maxCreateBytes {
		return nil, fmt.Errorf("create %d objects: %w: together they are %d bytes, the limit of one call is %d; create them in several",
			len(objs), store.ErrInvalid, size, maxCreateBytes)
	}
	if err := s.takesWork(ctx); err != nil {
		return nil, fmt.Errorf("create %s: %w", entries[0].key(), err)
	}

	s.wmu.Lock()
	if s.shut {
		s.wmu.Unlock()
		return nil, fmt.Errorf("create %s: %w", entries[0].key(), store.ErrClosed)
	}
	if key, err := s.firstRefused(entries); err != nil {
		err := s.whenVisible(ctx, err)
		return nil, fmt.Errorf("create %s: %w", key, err)
	}
	if s.batch == nil {
		s.batch = newBatch()
	}
	s.batch.block.Grow(len(objs), size)
	s.batch.changes = slices.Grow(s.batch.changes, len(objs))
	records := make([]store.Record, len(objs))
	for i, e := range entries {
		c := s.enqueue(change{event: added, e: e}, encodings[i], false)
		records[i] = c.record()
	}
	b, leader := s.joinBatch()
	if err := s.waitDurable(ctx, b, leader); err != nil {
		return nil, fmt.Errorf("create %s: %w", entries[0].key(), err)
	}
	return records, nil
}

// createOne is Create of one object, which most are.
func (s *Store) createOne(ctx context.Context, obj v1.Object) ([]store.Record, error) {
	now := time.Now()
	e, enc, err := s.prepareNew(obj, s.uids.next(now), now)
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", s.nameOf(obj), err)
	}
	record, err := s.createEntry(ctx, e, enc)
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", e.key(), err)
	}
	return []store.Record{record}, nil
}

func (s *Store) createEntry(ctx context.Context, e *entry, enc encoding) (store.Record, error) {
	if err := s.takesWork(ctx); err != nil {
		return store.Record{}, err
	}
	s.wmu.Lock()
	if s.shut {
		s.wmu.Unlock()
		return store.Record{}, store.ErrClosed
	}
	s.mu.RLock()
	err := s.housed(e)
	if s.latest(e.key()) != nil {
		err = store.ErrExists
	}
	s.mu.RUnlock()
	if err != nil {
		return store.Record{}, s.whenVisible(ctx, err)
	}
	c := s.enqueue(change{event: added, e: e}, enc, false)
	b, leader := s.joinBatch()
	if err := s.waitDurable(ctx, b, leader); err != nil {
		return store.Record{}, err
	}
	return c.record(), nil
}

const (
	// maxCreateBytes keeps one call within one block of the journal.
	maxCreateBytes = 128 << 20
	// recordOverhead is what the journal adds to an encoding.
	recordOverhead = 16
)

// firstRefused finds a key that exists or is named twice, or whose workspace is not there.
// wmu is held.
func (s *Store) firstRefused(entries []*entry) (store.Key, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	named := make(map[store.Key]bool, len(entries))
	for _, e := range entries {
		key := e.key()
		if named[key] || s.latest(key) != nil {
			return key, store.ErrExists
		}
		named[key] = true
	}
	return entries[0].key(), s.housed(entries...)
}

// prepareAll checks and encodes new objects; many of them on several processors.
func (s *Store) prepareAll(objs []v1.Object) ([]*entry, []encoding, error) {
	now := time.Now()
	entries, encodings := make([]*entry, len(objs)), make([]encoding, len(objs))
	ids := make([]uuid.UUID, len(objs))
	for i := range ids {
		ids[i] = s.uids.next(now) // in order
	}
	const share = 64 // below, starting a goroutine costs more than it saves
	parts := max(1, min(runtime.GOMAXPROCS(0), len(objs)/share))
	errs := make([]error, parts)
	part := func(p int) {
		for i := p * len(objs) / parts; i < (p+1)*len(objs)/parts; i++ {
			var err error
			if entries[i], encodings[i], err = s.prepareNew(objs[i], ids[i], now); err != nil {
				errs[p] = fmt.Errorf("create %s: %w", s.nameOf(objs[i]), err)
				return
			}
		}
	}
	var wg sync.WaitGroup
	for p := 1; p < parts; p++ {
		wg.Go(func() { part(p) })
	}
	part(0)
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, nil, err
		}
	}
	return entries, encodings, nil
}

// prepareNew checks and encodes a new object.
func (s *Store) prepareNew(obj v1.Object, id uuid.UUID, now time.Time) (*entry, encoding, error) {
	kind, key, err := checkKey(s.kinds, obj)
	if err != nil {
		return nil, encoding{}, err
	}
	from, err := metaOf(obj)
	if err != nil {
		return nil, encoding{}, err
	}
	meta := *from
	if meta.UID == "" {
		meta.UID = types.UID(id.String())
	} else if id, err = parseUID(meta.UID); err != nil {
		return nil, encoding{}, err
	}
	if meta.CreationTimestamp.IsZero() {
		meta.CreationTimestamp = metav1.NewTime(now)
	}
	meta.Generation = max(meta.Generation, 1)
	meta.DeletionTimestamp, meta.DeletionGracePeriodSeconds = nil, nil
	enc, err := assemble(kind, &meta, obj)
	if err != nil {
		return nil, encoding{}, fmt.Errorf("%w: %w", store.ErrInvalid, err)
	}
	if err := s.checkSize(enc); err != nil {
		return nil, encoding{}, err
	}
	jobType, phase := kind.Summary(obj)
	e := &entry{uid: id, class: s.intern.class(key.Kind, key.Namespace, jobType, phase), name: strings.Clone(key.Name)}
	e.labels, err = enc.labelSet(s.intern)
	return e, enc, err
}
