package file

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strconv"
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
	if key, taken := s.firstTaken(entries); taken {
		err := s.settled(ctx, store.ErrExists)
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
	b, leader := s.join()
	if err := s.await(ctx, b, leader); err != nil {
		return nil, fmt.Errorf("create %s: %w", entries[0].key(), err)
	}
	return records, nil
}

// createOne is Create of one object, which most are.
func (s *Store) createOne(ctx context.Context, obj v1.Object) ([]store.Record, error) {
	now := time.Now()
	e, enc, err := s.prepareNew(obj, s.uids.next(now), now)
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", nameOf(obj), err)
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
	taken := s.latest(e.key()) != nil
	s.mu.RUnlock()
	if taken {
		return store.Record{}, s.settled(ctx, store.ErrExists)
	}
	c := s.enqueue(change{event: added, e: e}, enc, false)
	b, leader := s.join()
	if err := s.await(ctx, b, leader); err != nil {
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

// firstTaken finds a key that exists or is named twice. wmu is held.
func (s *Store) firstTaken(entries []*entry) (store.Key, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	named := make(map[store.Key]bool, len(entries))
	for _, e := range entries {
		key := e.key()
		if named[key] || s.latest(key) != nil {
			return key, true
		}
		named[key] = true
	}
	return store.Key{}, false
}

// settled returns err once all that was decided before is visible, or why it will not
// be: who is told of a state must not read an older one afterwards. wmu is held and
// given up.
func (s *Store) settled(ctx context.Context, err error) error {
	if len(s.overlay) == 0 {
		s.wmu.Unlock()
		return err
	}
	b, leader := s.join()
	if failed := s.await(ctx, b, leader); failed != nil {
		return failed
	}
	return err
}

// latest is what the object is once all that was decided before is on disk. wmu and
// mu are held.
func (s *Store) latest(key store.Key) *entry {
	if len(s.overlay) > 0 {
		if p, ok := s.overlay[key]; ok {
			return p.e
		}
	}
	return s.index.get(key.Kind, objectKey{key.Namespace, key.Name})
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
				errs[p] = fmt.Errorf("create %s: %w", nameOf(objs[i]), err)
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
	key, err := checkKey(obj)
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
	enc, err := assemble(key.Kind, &meta, obj)
	if err != nil {
		return nil, encoding{}, fmt.Errorf("%w: %w", store.ErrInvalid, err)
	}
	if err := s.checkSize(enc); err != nil {
		return nil, encoding{}, err
	}
	jobType, phase := summaryOf(obj)
	e := &entry{uid: id, class: s.intern.class(key.Kind, key.Namespace, jobType, phase), name: strings.Clone(key.Name)}
	e.labels, err = enc.labelSet(s.intern)
	return e, enc, err
}

// summaryOf is what the index keeps of obj's spec and status.
func summaryOf(obj v1.Object) (v1.JobType, v1.JobPhase) {
	if job, ok := obj.(*v1.Job); ok {
		return job.Spec.Type, job.Status.Phase
	}
	return "", ""
}

// checkSize refuses an encoding that is too large.
func (s *Store) checkSize(enc encoding) error {
	if n := enc.len(); n > s.opts.MaxObjectBytes {
		return fmt.Errorf("%w: the object is %d bytes, the limit is %d", store.ErrInvalid, n, s.opts.MaxObjectBytes)
	}
	return nil
}

// checkKey is the key of obj, whose kind, namespace and name must fit together.
func checkKey(obj v1.Object) (store.Key, error) {
	key := store.KeyOf(obj)
	if key.Kind == "" {
		switch obj.(type) {
		case *v1.Job:
			key.Kind = v1.KindJob
		case *v1.Workspace:
			key.Kind = v1.KindWorkspace
		}
	}
	kind, ok := v1.KindByName(key.Kind)
	switch {
	case !ok:
		return key, fmt.Errorf("%w: unknown kind %q", store.ErrInvalid, key.Kind)
	case key.Name == "":
		return key, fmt.Errorf("%w: metadata.name is empty", store.ErrInvalid)
	case kind.Namespaced && key.Namespace == "":
		return key, fmt.Errorf("%w: metadata.namespace is empty, and a %s lives in a workspace", store.ErrInvalid, key.Kind)
	case !kind.Namespaced && key.Namespace != "":
		return key, fmt.Errorf("%w: metadata.namespace is %q, but a %s lives in no workspace", store.ErrInvalid, key.Namespace, key.Kind)
	case strings.ContainsRune(key.Name, 0) || strings.ContainsRune(key.Namespace, 0):
		return key, fmt.Errorf("%w: a zero byte in the name", store.ErrInvalid)
	}
	return key, nil
}

// nameOf names obj in errors, whatever is wrong with it.
func nameOf(obj v1.Object) string {
	key, _ := checkKey(obj)
	return key.String()
}

// parseUID reads a uid that a caller has set.
func parseUID(uid types.UID) (uuid.UUID, error) {
	id, err := uuid.Parse(string(uid))
	if err != nil || id.String() != string(uid) {
		return id, fmt.Errorf("%w: metadata.uid %q is not a UUID in its canonical form", store.ErrInvalid, uid)
	}
	return id, nil
}

// current is the version of an object that a write starts from.
type current struct {
	e        *entry
	encoding []byte
	scanned  scanned
}

func (c current) record() store.Record { return c.e.record(c.encoding) }

// read finds the object that obj is a later version of.
func (s *Store) read(obj v1.Object) (current, error) {
	key, err := checkKey(obj)
	if err != nil {
		return current{}, err
	}
	version := obj.GetResourceVersion()
	if version == "" {
		return current{}, fmt.Errorf("%w: metadata.resourceVersion is unset", store.ErrInvalid)
	}
	rv, err := strconv.ParseUint(version, 10, 64)
	if err != nil {
		return current{}, fmt.Errorf("%w: metadata.resourceVersion %q is not a number", store.ErrInvalid, version)
	}
	return s.readVersion(key, store.Preconditions{UID: obj.GetUID(), ResourceVersion: rv})
}

// readVersion reads the object with that key when the preconditions hold.
func (s *Store) readVersion(key store.Key, pre store.Preconditions) (c current, err error) {
	set := s.sources.acquire()
	defer s.sources.release(set)
	s.mu.RLock()
	c.e = s.index.get(key.Kind, objectKey{key.Namespace, key.Name})
	s.mu.RUnlock()
	if c.e == nil {
		return c, store.ErrNotFound
	}
	if pre.ResourceVersion != 0 && pre.ResourceVersion != c.e.rv {
		return c, fmt.Errorf("%w: it is at version %d, not %d", store.ErrConflict, c.e.rv, pre.ResourceVersion)
	}
	if pre.UID != "" && string(pre.UID) != c.e.uid.String() {
		return c, fmt.Errorf("%w: it is another object of that name, with uid %s, not %s", store.ErrConflict, c.e.uid, pre.UID)
	}
	if c.encoding, err = s.sources.read(set, c.e); err != nil {
		return c, err
	}
	c.scanned, err = scan(c.encoding)
	return c, err
}

// replace makes e the next version of c, or removes it, and waits for it.
func (s *Store) replace(ctx context.Context, c current, ch change, enc encoding, d store.Durability) (store.Record, error) {
	s.wmu.Lock()
	if s.shut {
		s.wmu.Unlock()
		return store.Record{}, store.ErrClosed
	}
	s.mu.RLock()
	now := s.latest(c.e.key())
	s.mu.RUnlock()
	if now != c.e {
		err := store.ErrNotFound
		if now != nil {
			err = fmt.Errorf("%w: it is at version %d, not %d", store.ErrConflict, now.rv, c.e.rv)
		}
		return store.Record{}, s.settled(ctx, err)
	}
	ch.before = c.e
	ch = s.enqueue(ch, enc, d == store.Soft)
	if ch.shown {
		s.wmu.Unlock()
		return ch.record(), nil
	}
	b, leader := s.join()
	if err := s.await(ctx, b, leader); err != nil {
		return store.Record{}, err
	}
	return ch.record(), nil
}

// Update implements store.Store.
func (s *Store) Update(ctx context.Context, obj v1.Object) (store.Record, error) {
	record, err := s.update(ctx, obj)
	if err != nil {
		return store.Record{}, fmt.Errorf("update %s: %w", nameOf(obj), err)
	}
	return record, nil
}

func (s *Store) update(ctx context.Context, obj v1.Object) (store.Record, error) {
	if err := s.takesWork(ctx); err != nil {
		return store.Record{}, err
	}
	c, err := s.read(obj)
	if err != nil {
		return store.Record{}, err
	}
	var was metav1.ObjectMeta
	if err := v1.DecodeMetadata(c.scanned.metadata.of(c.encoding), &was); err != nil {
		return store.Record{}, fmt.Errorf("decode metadata: %w", err)
	}
	from, err := metaOf(obj)
	if err != nil {
		return store.Record{}, err
	}
	meta := *from
	meta.GenerateName, meta.UID, meta.Generation = was.GenerateName, was.UID, was.Generation
	meta.CreationTimestamp = was.CreationTimestamp
	meta.DeletionTimestamp, meta.DeletionGracePeriodSeconds = was.DeletionTimestamp, was.DeletionGracePeriodSeconds
	if meta.DeletionTimestamp != nil && len(meta.Finalizers) == 0 && len(was.Finalizers) > 0 {
		return s.remove(ctx, c)
	}
	spec, err := specOf(nil, obj)
	if err != nil {
		return store.Record{}, fmt.Errorf("%w: encode spec: %w", store.ErrInvalid, err)
	}
	if before := c.scanned.spec.of(c.encoding); !bytes.Equal(spec, before) && (!isEmpty(spec) || !isEmpty(before)) {
		meta.Generation++
	}
	status, phase := c.scanned.status.of(c.encoding), c.e.class.phase
	if job, ok := obj.(*v1.Job); ok && job.Spec.Reruns > 0 && phase.Terminal() {
		if status, phase, err = rerun(job, status, phase); err != nil {
			return store.Record{}, err
		}
	}
	enc, err := reassemble(c.e.class.kind, &meta, spec, status)
	if err != nil {
		return store.Record{}, fmt.Errorf("%w: %w", store.ErrInvalid, err)
	}
	if same(enc, c) {
		return c.record(), nil
	}
	if err := s.checkSize(enc); err != nil {
		return store.Record{}, err
	}
	jobType, _ := summaryOf(obj)
	e := &entry{uid: c.e.uid, class: s.intern.class(c.e.class.kind, c.e.class.namespace, jobType, phase), name: c.e.name}
	if e.labels, err = enc.labelSet(s.intern); err != nil {
		return store.Record{}, err
	}
	return s.replace(ctx, c, change{event: modified, e: e}, enc, store.Durable)
}

// rerun is the status with which a finished job starts over when its spec asks for
// another run than the status is about.
func rerun(job *v1.Job, stored []byte, phase v1.JobPhase) ([]byte, v1.JobPhase, error) {
	var was v1.JobStatus
	if err := json.Unmarshal(stored, &was); err != nil {
		return nil, "", fmt.Errorf("decode status: %w", err)
	}
	if job.Spec.Reruns <= was.Reruns {
		return stored, phase, nil
	}
	is := v1.Job{Status: v1.Rerun(was, job.Spec.Reruns, time.Now())}
	status, err := is.AppendStatus(nil)
	return status, is.Status.Phase, err
}

// same reports whether enc is what c is already.
func same(enc encoding, c current) bool {
	at := c.scanned.rvAt
	return bytes.Equal(enc.head(), c.encoding[:at.start]) && bytes.Equal(enc.tail(), c.encoding[at.end:])
}

// UpdateStatus implements store.Store.
func (s *Store) UpdateStatus(ctx context.Context, obj v1.Object, d store.Durability) (store.Record, error) {
	record, err := s.updateStatus(ctx, obj, d)
	if err != nil {
		return store.Record{}, fmt.Errorf("update the status of %s: %w", nameOf(obj), err)
	}
	return record, nil
}

func (s *Store) updateStatus(ctx context.Context, obj v1.Object, d store.Durability) (store.Record, error) {
	if err := s.takesWrites(ctx); err != nil {
		return store.Record{}, err
	}
	c, err := s.read(obj)
	if err != nil {
		return store.Record{}, err
	}
	enc, err := c.withStatusOf(obj)
	if err != nil {
		return store.Record{}, fmt.Errorf("%w: %w", store.ErrInvalid, err)
	}
	if same(enc, c) {
		return c.record(), nil
	}
	if err := s.checkSize(enc); err != nil {
		return store.Record{}, err
	}
	_, phase := summaryOf(obj)
	e := &entry{
		uid: c.e.uid, name: c.e.name, labels: c.e.labels,
		class: s.intern.class(c.e.class.kind, c.e.class.namespace, c.e.class.jobType, phase),
	}
	return s.replace(ctx, c, change{event: modified, e: e}, enc, d)
}

// withStatusOf is the encoding of c with the status of obj.
func (c current) withStatusOf(obj v1.Object) (encoding, error) {
	rv, end := c.scanned.rvAt, len(c.encoding)-1
	if status := c.scanned.status; !status.empty() {
		end = status.start - len(`,"status":`)
	}
	enc := newEncoding()
	*enc.buf = append(*enc.buf, c.encoding[:rv.start]...)
	enc.cut = rv.start
	*enc.buf = append(*enc.buf, c.encoding[rv.end:end]...)
	err := enc.part("status", func(b []byte) ([]byte, error) { return statusOf(b, obj) })
	*enc.buf = append(*enc.buf, '}')
	return enc, err
}

// Delete implements store.Store.
func (s *Store) Delete(ctx context.Context, key store.Key, pre store.Preconditions) (store.Record, error) {
	for {
		record, retry, err := s.delete(ctx, key, pre)
		if retry {
			continue
		}
		if err != nil {
			return store.Record{}, fmt.Errorf("delete %s: %w", key, err)
		}
		return record, nil
	}
}
