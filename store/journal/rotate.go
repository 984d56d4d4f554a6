package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"jobwright.dev/store/vfs"
)

// spare is a file of zeros that becomes the next segment.
type spare struct {
	file vfs.File
	size int64
	err  error
}

// spareName is its name until then.
const spareName = "next.tmp"

// startSegment makes a segment with room for a block of need bytes and makes it the
// current one. When it fails, the one before stays current, so a full disk does not
// break the journal.
func (j *Journal) startSegment(segment, base uint64, need int64) error {
	path := segmentPath(j.dir, segment)
	next, err := j.nextFile(segmentHeader + padded(int(need)))
	if err != nil {
		return fmt.Errorf("create journal segment: %w", err)
	}
	f, name := next.file, filepath.Join(j.dir, spareName)
	_, err = f.WriteAt(header{segment: segment, first: j.sequence + 1, base: base}.encode(), 0)
	if err == nil {
		err = f.Datasync()
	}
	if err == nil {
		if err = j.fsys.Rename(name, path); err == nil {
			name = path
			err = j.fsys.SyncDir(j.dir)
		}
	}
	if err != nil {
		err = fmt.Errorf("create journal segment %s: %w", path, err)
		return errors.Join(err, f.Close(), j.fsys.Remove(name))
	}
	if j.file != nil {
		_ = j.file.Close() // all of it was synced, block by block
	}
	j.file, j.end, j.capacity = f, segmentHeader, next.size
	j.segment.Store(segment)
	return nil
}

// nextFile returns a file of at least size bytes of zeros: the spare one, or a new one.
func (j *Journal) nextFile(size int64) (spare, error) {
	if j.spare != nil {
		s := <-j.spare
		j.spare = nil
		if s.err == nil && s.size >= size {
			return s, nil
		}
		if s.err == nil {
			_ = s.file.Close() // it is made anew, larger
		}
	}
	s := j.makeSpare(max(size, j.nextSize()))
	return s, s.err
}

// nextSize is the size of the segment after the current one.
func (j *Journal) nextSize() int64 {
	return min(max(firstSegmentSize, 2*j.capacity), j.opts.SegmentSize)
}

// makeSpare creates a file of zeros under the name of the spare one.
func (j *Journal) makeSpare(size int64) spare {
	name := filepath.Join(j.dir, spareName)
	err := j.fsys.Remove(name) // an earlier attempt may have failed half-way
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return spare{err: err}
	}
	f, err := j.fsys.Create(name)
	if err != nil {
		return spare{err: err}
	}
	if err = f.Allocate(size); err == nil {
		err = f.Sync()
	}
	if err != nil {
		return spare{err: errors.Join(err, f.Close(), j.fsys.Remove(name))}
	}
	return spare{file: f, size: size}
}

// prepare makes the next segment ready while the second half of the current one is
// filled, so that no commit waits for it.
func (j *Journal) prepare() {
	if j.spare != nil || j.end < j.capacity/2 || j.opts.NoSpare {
		return
	}
	ready, size := make(chan spare, 1), j.nextSize()
	j.spare = ready
	go func() { ready <- j.makeSpare(size) }()
}

// Fits reports whether block goes into the current segment.
func (j *Journal) Fits(block *Block) bool {
	return j.end+padded(block.Len()) <= j.capacity
}

// Rotate starts a new segment with room for block, which may be nil. The journal
// stays usable when that fails.
func (j *Journal) Rotate(base uint64, block *Block) error {
	if j.broken != nil {
		return j.broken
	}
	need := int64(0)
	if block != nil {
		need = int64(block.Len())
	}
	return j.startSegment(j.segment.Load()+1, base, need)
}
