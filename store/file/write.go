package file

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"k8s.io/apimachinery/pkg/types"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

// whenVisible returns err after all earlier changes are visible, or the error that keeps
// them from it: a caller that was told of a state must not read an older one afterwards. wmu
// is held and released.
func (s *Store) whenVisible(ctx context.Context, err error) error {
	if len(s.overlay) == 0 {
		s.wmu.Unlock()
		return err
	}
	b, leader := s.joinBatch()
	if failed := s.waitDurable(ctx, b, leader); failed != nil {
		return failed
	}
	return err
}

// latest is the object after all earlier changes. wmu and mu are held.
func (s *Store) latest(key store.Key) *entry {
	if len(s.overlay) > 0 {
		if p, ok := s.overlay[key]; ok {
			return p.e
		}
	}
	return s.index.get(key.Kind, objectKey{key.Namespace, key.Name})
}

// checkSize refuses an encoding that is too large.
func (s *Store) checkSize(enc encoding) error {
	if n := enc.len(); n > s.opts.MaxObjectBytes {
		return fmt.Errorf("%w: the object is %d bytes, the limit is %d", store.ErrInvalid, n, s.opts.MaxObjectBytes)
	}
	return nil
}

// checkKey is the kind and the key of obj, whose kind, namespace and name must fit
// together.
func checkKey(kinds v1.KindSet, obj v1.Object) (v1.Kind, store.Key, error) {
	key := store.KeyOf(obj)
	kind, ok := kinds.Of(obj)
	if ok {
		key.Kind = kind.Name
	}
	switch {
	case !ok:
		return kind, key, fmt.Errorf("%w: unknown kind %q", store.ErrInvalid, key.Kind)
	case key.Name == "":
		return kind, key, fmt.Errorf("%w: metadata.name is empty", store.ErrInvalid)
	case kind.Namespaced && key.Namespace == "":
		return kind, key, fmt.Errorf("%w: metadata.namespace is empty, and a %s lives in a workspace", store.ErrInvalid, key.Kind)
	case !kind.Namespaced && key.Namespace != "":
		return kind, key, fmt.Errorf("%w: metadata.namespace is %q, but a %s lives in no workspace", store.ErrInvalid, key.Namespace, key.Kind)
	case strings.ContainsRune(key.Name, 0) || strings.ContainsRune(key.Namespace, 0):
		return kind, key, fmt.Errorf("%w: a zero byte in the name", store.ErrInvalid)
	}
	return kind, key, nil
}

// nameOf names obj in errors, even an invalid one.
func (s *Store) nameOf(obj v1.Object) string {
	_, key, _ := checkKey(s.kinds, obj)
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

// isUID reports whether uid is the text of id.
func isUID(uid types.UID, id uuid.UUID) bool {
	parsed, err := uuid.Parse(string(uid))
	return err == nil && parsed == id && len(uid) == len(uuid.UUID{})*2+4
}

// current is the version of an object that a write starts from.
type current struct {
	kind     v1.Kind
	e        *entry
	encoding []byte
	scanned  scanned
}

func (c current) record() store.Record { return c.e.record(c.encoding) }

// read finds the stored version that obj is based on. scan finds the parts of its encoding
// that the write needs.
func (s *Store) read(obj v1.Object, scan scanner) (current, error) {
	kind, key, err := checkKey(s.kinds, obj)
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
	c, err := s.readVersion(key, store.Preconditions{UID: obj.GetUID(), ResourceVersion: rv}, scan)
	c.kind = kind
	return c, err
}

// readVersion reads the object with that key when the preconditions hold.
func (s *Store) readVersion(key store.Key, pre store.Preconditions, scan scanner) (c current, err error) {
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
	if pre.UID != "" && !isUID(pre.UID, c.e.uid) {
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
	var refused error
	switch {
	case now == nil:
		refused = store.ErrNotFound
	case now != c.e:
		refused = fmt.Errorf("%w: it is at version %d, not %d", store.ErrConflict, now.rv, c.e.rv)
	case ch.event == deleted:
		refused = s.vacant(c.e)
	}
	s.mu.RUnlock()
	if refused != nil {
		return store.Record{}, s.whenVisible(ctx, refused)
	}
	ch.before = c.e
	ch = s.enqueue(ch, enc, d == store.Soft)
	if ch.published {
		s.wmu.Unlock()
		return ch.record(), nil
	}
	b, leader := s.joinBatch()
	if err := s.waitDurable(ctx, b, leader); err != nil {
		return store.Record{}, err
	}
	return ch.record(), nil
}
