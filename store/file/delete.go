package file

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"jobwright.dev/store"
)

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

// delete removes an object. retry: another write came first, and the caller did not
// ask for a particular version.
func (s *Store) delete(ctx context.Context, key store.Key, pre store.Preconditions) (record store.Record, retry bool, err error) {
	if err := s.takesWrites(ctx); err != nil {
		return record, false, err
	}
	c, err := s.readVersion(key, pre, scan)
	if err != nil {
		return record, false, err
	}
	if isEmpty(c.scanned.finalizers) {
		record, err = s.remove(ctx, c)
	} else {
		record, err = s.markDeleted(ctx, c)
	}
	if pre.ResourceVersion == 0 && errors.Is(err, store.ErrConflict) {
		return record, true, nil
	}
	return record, false, err
}

// remove takes an object out of the store.
func (s *Store) remove(ctx context.Context, c current) (store.Record, error) {
	enc := bytesAround(c.encoding, c.scanned)
	return s.replace(ctx, c, change{event: deleted, e: c.e}, enc, store.Durable)
}

// markDeleted sets the deletionTimestamp of an object that has finalizers.
func (s *Store) markDeleted(ctx context.Context, c current) (store.Record, error) {
	if c.scanned.deleting {
		return c.record(), nil
	}
	var meta metav1.ObjectMeta
	if err := json.Unmarshal(c.scanned.metadata.of(c.encoding), &meta); err != nil {
		return store.Record{}, fmt.Errorf("decode metadata: %w", err)
	}
	now, grace := metav1.NewTime(time.Now()), int64(0)
	meta.DeletionTimestamp, meta.DeletionGracePeriodSeconds = &now, &grace
	enc, err := reassemble(c.e.class.kind, &meta, c.scanned.spec.of(c.encoding), c.scanned.status.of(c.encoding))
	if err != nil {
		return store.Record{}, err
	}
	e := &entry{uid: c.e.uid, class: c.e.class, name: c.e.name, labels: c.e.labels}
	return s.replace(ctx, c, change{event: modified, e: e}, enc, store.Durable)
}
