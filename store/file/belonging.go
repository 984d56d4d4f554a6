package file

import (
	"fmt"

	v1 "jobwright.dev/api/v1"
	"jobwright.dev/store"
)

// housed answers store.ErrNoWorkspace for the first of new objects whose workspace is
// neither there, once all that was decided before is on disk, nor among them. wmu and mu
// are held.
func (s *Store) housed(entries ...*entry) error {
	if !s.opts.Workspaces {
		return nil
	}
	var last string // of the objects of one call most are of one workspace
	for _, e := range entries {
		name := e.class.namespace
		if name == "" || name == last {
			continue
		}
		if s.latest(store.Key{Kind: v1.KindWorkspace, Name: name}) == nil && !makes(entries, name) {
			return fmt.Errorf("%w: %s", store.ErrNoWorkspace, name)
		}
		last = name
	}
	return nil
}

// makes reports whether a workspace is among the new objects.
func makes(entries []*entry, workspace string) bool {
	for _, e := range entries {
		if e.class.kind == v1.KindWorkspace && e.name == workspace {
			return true
		}
	}
	return false
}

// vacant answers store.ErrNotEmpty for a workspace that has an object, or is about to
// have one. An object that is being deleted counts until that is on disk. wmu and mu are held.
func (s *Store) vacant(e *entry) error {
	if e.class.kind != v1.KindWorkspace {
		return nil
	}
	for _, k := range s.index.kinds {
		first := k.byName.from(&entry{class: &class{namespace: e.name}}).next()
		if first != nil && first.class.namespace == e.name {
			return fmt.Errorf("%w: it has %s", store.ErrNotEmpty, first.key())
		}
	}
	for key, p := range s.overlay {
		if key.Namespace == e.name && p.e != nil {
			return fmt.Errorf("%w: it has %s", store.ErrNotEmpty, key)
		}
	}
	return nil
}
