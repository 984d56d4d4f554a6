package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync/atomic"

	"jobwright.dev/store/vfs"
)

// defaultSegmentSize is large enough that at full speed a segment lasts for half a
// second, and small enough that an empty store does not look large.
const defaultSegmentSize = 32 << 20

// firstSegmentSize is the size of the first segment after an opening; each further one
// is twice as large as the one before, up to Options.SegmentSize. So a store that is
// seldom written to stays small, and is opened quickly.
const firstSegmentSize = 1 << 20

// Options of a journal.
type Options struct {
	// SegmentSize is the largest size of a segment in bytes; 0: defaultSegmentSize. A
	// block that is larger gets a segment of its own size.
	SegmentSize int64
	// NoSpare: segments are made when they are needed, not ahead beside the commits.
	NoSpare bool
}

// Journal is a journal that is open for appending. Append, Rotate and Close are for
// one goroutine at a time; Size and Segment may be called at any time.
type Journal struct {
	fsys vfs.FS
	dir  string
	opts Options

	file     vfs.File
	end      int64
	capacity int64
	sequence uint64
	broken   error
	// failed is how many bytes the append that broke the journal may have written.
	failed int64
	closed bool

	segment atomic.Uint64
	oldest  atomic.Uint64
	written atomic.Int64

	// spare is the segment that is made ready beside the commits; nil: none is.
	spare chan spare
}

// Append writes block, which must fit, and returns where it starts once it is on
// disk. Any error but errTooLarge breaks the journal.
func (j *Journal) Append(block *Block) (Position, error) {
	if j.broken != nil {
		return Position{}, j.broken
	}
	if block.Len() > maxBlock {
		return Position{}, fmt.Errorf("%w: %d bytes, the limit is %d", errTooLarge, block.Len(), maxBlock)
	}
	if !j.Fits(block) {
		return Position{}, fmt.Errorf("%w: %d bytes, the segment has %d left", errTooLarge, block.Len(), j.capacity-j.end)
	}
	at := Position{Segment: j.segment.Load(), Offset: j.end}
	data := block.seal(j.sequence + 1)
	_, err := j.file.WriteAt(data, j.end)
	if err == nil {
		err = j.file.Datasync()
	}
	path := segmentPath(j.dir, at.Segment)
	if err == nil {
		err = j.inPlace(path)
	}
	if err != nil {
		j.failed = int64(len(data))
		j.broken = fmt.Errorf("%w: append to %s at offset %d: %w", ErrBroken, path, at.Offset, err)
		return Position{}, j.broken
	}
	j.sequence++
	j.end += int64(len(data))
	j.written.Add(int64(len(data)))
	j.prepare()
	return at, nil
}

// Repair makes a journal that an append has broken take blocks again: what that may have
// written is written over with zeros and synced, so that the segment ends where it did
// before. A failed sync leaves the pages in an unknown state on disk; those that were synced
// before are as they were, and the others are written anew here.
func (j *Journal) Repair() error {
	if j.broken == nil || j.closed {
		return j.broken
	}
	path := segmentPath(j.dir, j.segment.Load())
	err := j.inPlace(path)
	if err == nil {
		_, err = j.file.WriteAt(make([]byte, min(j.failed, j.capacity-j.end)), j.end)
	}
	if err == nil {
		err = j.file.Datasync()
	}
	if err != nil {
		return fmt.Errorf("repair %s at offset %d: %w", path, j.end, err)
	}
	j.broken = nil
	return nil
}

// inPlace answers why what was written to the segment would not be found again: a commit
// into a file that was removed meanwhile, or whose folder was, is on no disk.
func (j *Journal) inPlace(path string) error {
	there, err := j.file.At(path)
	if err == nil && !there {
		err = ErrGone
	}
	return err
}

// RemoveBefore removes the segments before segment; they must not be needed for
// recovery any more.
func (j *Journal) RemoveBefore(segment uint64) error {
	for n := j.oldest.Load(); n < min(segment, j.segment.Load()); n++ {
		if err := j.fsys.Remove(segmentPath(j.dir, n)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove journal segment: %w", err)
		}
		j.oldest.Store(n + 1)
	}
	if err := j.fsys.SyncDir(j.dir); err != nil {
		return fmt.Errorf("remove journal segments: %w", err)
	}
	return nil
}

// Sequence is the number of the last block. Unlike Segment it is for the goroutine that
// appends.
func (j *Journal) Sequence() uint64 { return j.sequence }

// Segment is the number of the current segment.
func (j *Journal) Segment() uint64 { return j.segment.Load() }

// Written is how many bytes of blocks the journal held when it was opened and has
// taken since.
func (j *Journal) Written() int64 { return j.written.Load() }

// Path is where a segment lies.
func (j *Journal) Path(segment uint64) string { return segmentPath(j.dir, segment) }

// Close closes the journal in order, so that the next Start goes on in the same
// segment; a broken one is only closed.
func (j *Journal) Close() error {
	var err error
	if mark := (&Block{flags: closedFlag}); j.broken == nil && j.Fits(mark) {
		_, err = j.Append(mark)
	}
	j.closed = true
	if j.broken == nil {
		j.broken = fmt.Errorf("%w: it was closed", ErrBroken)
	}
	if j.spare != nil {
		if s := <-j.spare; s.err == nil {
			_ = errors.Join(s.file.Close(), j.fsys.Remove(filepath.Join(j.dir, spareName))) // the next opening removes it too
		}
		j.spare = nil
	}
	return errors.Join(err, j.file.Close())
}
