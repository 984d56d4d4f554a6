package file

import (
	"context"
	"fmt"

	"jobwright.dev/store"
)

// Get implements store.Store.
func (s *Store) Get(ctx context.Context, key store.Key) (store.Record, error) {
	if err := s.ready(ctx); err != nil {
		return store.Record{}, fmt.Errorf("get %s: %w", key, err)
	}
	set := s.sources.acquire()
	defer s.sources.release(set)
	s.mu.RLock()
	e := s.index.get(key.Kind, objectKey{key.Namespace, key.Name})
	s.mu.RUnlock()
	if e == nil {
		return store.Record{}, fmt.Errorf("get %s: %w", key, store.ErrNotFound)
	}
	encoding, err := s.sources.read(set, e)
	if err != nil {
		return store.Record{}, fmt.Errorf("get: %w", err)
	}
	return e.record(encoding), nil
}

// Count implements store.Store.
func (s *Store) Count(ctx context.Context, kind string) ([]store.Count, error) {
	if err := s.ready(ctx); err != nil {
		return nil, fmt.Errorf("count: %w", err)
	}
	var counts []store.Count
	s.mu.RLock()
	defer s.mu.RUnlock()
	s.intern.each(func(c *class) {
		if c.kind == kind && c.n > 0 {
			counts = append(counts, store.Count{Namespace: c.namespace, Type: c.jobType, Phase: c.phase, N: c.n})
		}
	})
	return counts, nil
}
