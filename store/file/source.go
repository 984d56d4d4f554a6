package file

import (
	"fmt"
	"maps"
	"sync"

	"jobwright.dev/store"
	"jobwright.dev/store/journal"
	"jobwright.dev/store/vfs"
)

// source is a file in which encodings lie: jobs.json or a segment of the journal.
type source struct {
	id   uint32
	path string
	file vfs.File
	// segment is the journal's number; 0 for jobs.json.
	segment uint64
	// sets is how many sourceSets have it; guarded by sources.mu.
	sets int
}

// sourceSet is the sources of one moment. A reader holds on to one, so that no file
// it may read from is closed.
type sourceSet struct {
	byID    map[uint32]*source
	readers int
}

// sources knows the files in which encodings lie.
type sources struct {
	fsys vfs.FS

	mu      sync.Mutex
	current *sourceSet
	last    uint32
	segment map[uint64]*source
}

func newSources(fsys vfs.FS) *sources {
	return &sources{fsys: fsys, current: &sourceSet{byID: map[uint32]*source{}}, segment: map[uint64]*source{}}
}

// acquire holds on to the present set until release.
func (s *sources) acquire() *sourceSet {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current.readers++
	return s.current
}

// release gives up a set.
func (s *sources) release(set *sourceSet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	set.readers--
	if set.readers == 0 && set != s.current {
		s.retire(set)
	}
}

// retire closes the files that no set has any more. s.mu is held.
func (s *sources) retire(set *sourceSet) {
	for _, src := range set.byID {
		if src.sets--; src.sets == 0 {
			_ = src.file.Close() // it was only read
		}
	}
}

// change makes change(members) the present set. s.mu is held.
func (s *sources) change(change func(members map[uint32]*source)) {
	next := &sourceSet{byID: make(map[uint32]*source, len(s.current.byID)+1)}
	maps.Copy(next.byID, s.current.byID)
	change(next.byID)
	for _, src := range next.byID {
		src.sets++
	}
	before := s.current
	s.current = next
	if before.readers == 0 {
		s.retire(before)
	}
}

// add opens a file as a source.
func (s *sources) add(path string, segment uint64) (*source, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if src := s.segment[segment]; src != nil && segment != 0 {
		return src, nil
	}
	f, err := s.fsys.OpenRead(path)
	if err != nil {
		return nil, err
	}
	s.last++
	src := &source{id: s.last, path: path, file: f, segment: segment}
	if segment != 0 {
		s.segment[segment] = src
	}
	s.change(func(members map[uint32]*source) { members[src.id] = src })
	return src, nil
}

// ofSegment is the source of a segment; nil: it is none yet.
func (s *sources) ofSegment(segment uint64) *source {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.segment[segment]
}

// drop forgets the sources that drop names; their files are closed when the last
// reader has gone.
func (s *sources) drop(drop func(*source) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.change(func(members map[uint32]*source) {
		for id, src := range members {
			if drop(src) {
				delete(members, id)
				delete(s.segment, src.segment)
			}
		}
	})
}

// closeAll drops every source.
func (s *sources) closeAll() { s.drop(func(*source) bool { return true }) }

// read returns the encoding of e, which is e's own when it is in memory.
func (s *sources) read(set *sourceSet, e *entry) ([]byte, error) {
	if b, ok := e.inMem(); ok {
		return b, nil
	}
	id, offset := e.where()
	src := set.byID[id]
	if src == nil {
		// The encoding was moved to a file that is newer than the reader.
		now := s.acquire()
		defer s.release(now)
		if id, offset = e.where(); now.byID[id] == nil {
			return nil, fmt.Errorf("read %s: its file is closed: %w", e.key(), store.ErrClosed)
		}
		src = now.byID[id]
	}
	b := make([]byte, e.size)
	if _, err := src.file.ReadAt(b, offset); err != nil {
		return nil, fmt.Errorf("read %s: %w", e.key(), err)
	}
	if journal.Checksum(b) != e.sum {
		return nil, fmt.Errorf("read %s: %w: %s: the %d bytes at offset %d are not what was written there; stop the server, check the disk and restore the latest backup",
			e.key(), store.ErrCorrupt, src.path, e.size, offset)
	}
	return b, nil
}
