package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync/atomic"

	"jobwright.dev/store/vfs"
)

// DefaultSegmentSize is large enough that at full speed a segment lasts for half a
// second, and small enough that an empty store does not look large.
const DefaultSegmentSize = 32 << 20

// firstSegmentSize is the size of the first segment after an opening; each further one
// is twice as large as the one before, up to Options.SegmentSize. So a store that is
// seldom written to stays small, and is opened quickly.
const firstSegmentSize = 1 << 20

// Options of a journal.
type Options struct {
	// SegmentSize is the largest size of a segment in bytes; 0: DefaultSegmentSize. A
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

	segment atomic.Uint64
	oldest  atomic.Uint64
	written atomic.Int64

	// spare is the segment that is made ready beside the commits; nil: none is.
	spare chan spare
}

// spare is a file of zeros that becomes the next segment.
type spare struct {
	file vfs.File
	size int64
	err  error
}

// spareName is its name until then.
const spareName = "next.tmp"

// Start makes the journal that Scan has read ready to append. base goes into the
// header of the segment that is started when the journal was not closed in order;
// in that case the last block is written again, so call it with a base that is right
// after that block too.
func (st *State) Start(base uint64, opts Options) (*Journal, error) {
	if opts.SegmentSize == 0 {
		opts.SegmentSize = DefaultSegmentSize
	}
	j := &Journal{fsys: st.fsys, dir: st.dir, opts: opts, sequence: st.sequence}
	if err := st.repair(); err != nil {
		return nil, err
	}
	if len(st.Segments) == 0 {
		if err := st.fsys.MkdirAll(st.dir); err != nil {
			return nil, fmt.Errorf("make the journal's folder: %w", err)
		}
		first := max(st.from.Segment, 1)
		j.oldest.Store(first)
		if err := j.startSegment(first, base, 0); err != nil {
			return nil, err
		}
		return j.opened(new(Block))
	}
	j.oldest.Store(st.Segments[0])
	j.written.Store(st.Bytes)
	last := st.Segments[len(st.Segments)-1]
	if st.Clean {
		if err := j.resume(last, st.end); err != nil {
			return nil, err
		}
		if j.Fits(new(Block)) {
			return j.opened(new(Block))
		}
	}
	j.segment.Store(last)
	block, err := st.reread()
	if err != nil {
		return nil, err
	}
	if err := j.startSegment(last+1, base, int64(block.Len())); err != nil {
		return nil, err
	}
	return j.opened(block)
}

// opened appends the first block after an opening, even when it is empty: from now on
// the journal does not end with a block that says Closed.
func (j *Journal) opened(block *Block) (*Journal, error) {
	if _, err := j.Append(block); err != nil {
		return nil, errors.Join(err, j.file.Close())
	}
	return j, nil
}

// repair removes what crashes have left behind: segments before the first wanted, an
// unfinished next one, a torn end.
func (st *State) repair() error {
	for _, n := range st.Obsolete {
		if err := st.fsys.Remove(segmentPath(st.dir, n)); err != nil {
			return fmt.Errorf("remove an obsolete journal segment: %w", err)
		}
	}
	if err := st.fsys.Remove(filepath.Join(st.dir, spareName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove an unfinished journal segment: %w", err)
	}
	if st.Cut == nil {
		return nil
	}
	f, err := st.fsys.Open(st.Cut.File)
	if err != nil {
		return fmt.Errorf("cut the torn end: %w", err)
	}
	err = f.Truncate(st.Cut.Offset)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("cut the torn end of %s: %w", st.Cut.File, err)
	}
	return nil
}

// reread returns a new block with the records of the last one.
func (st *State) reread() (block *Block, err error) {
	block = new(Block)
	if st.lastBlock.Segment == 0 || st.sequence <= st.from.Sequence {
		return block, nil
	}
	f, err := st.fsys.OpenRead(segmentPath(st.dir, st.lastBlock.Segment))
	if err != nil {
		return nil, fmt.Errorf("read the last block again: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	size, err := f.Size()
	if err != nil {
		return nil, fmt.Errorf("read the last block again: %w", err)
	}
	data, err := (&window{file: f, size: size}).block(st.lastBlock.Offset)
	if err != nil {
		return nil, fmt.Errorf("read the last block again: %w", err)
	}
	p, ok := parseBlock(data)
	if !ok {
		return nil, &Corrupt{
			File: segmentPath(st.dir, st.lastBlock.Segment), Offset: st.lastBlock.Offset,
			Cause: "the block was valid a moment ago", Advice: adviceRestore,
		}
	}
	return block, p.records(func(_ int, payload []byte) error {
		block.Add(payload)
		return nil
	})
}

// resume continues a segment that was closed in order.
func (j *Journal) resume(segment uint64, end int64) error {
	f, err := j.fsys.Open(segmentPath(j.dir, segment))
	if err != nil {
		return fmt.Errorf("open journal segment: %w", err)
	}
	size, err := f.Size()
	if err != nil {
		return errors.Join(fmt.Errorf("journal segment: %w", err), f.Close())
	}
	j.file, j.end, j.capacity = f, end, size
	j.segment.Store(segment)
	return nil
}

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

// Append writes block, which must fit, and returns where it starts once it is on
// disk. Any error but ErrTooLarge breaks the journal.
func (j *Journal) Append(block *Block) (Position, error) {
	if j.broken != nil {
		return Position{}, j.broken
	}
	if block.Len() > MaxBlock {
		return Position{}, fmt.Errorf("%w: %d bytes, the limit is %d", ErrTooLarge, block.Len(), MaxBlock)
	}
	if !j.Fits(block) {
		return Position{}, fmt.Errorf("%w: %d bytes, the segment has %d left", ErrTooLarge, block.Len(), j.capacity-j.end)
	}
	at := Position{Segment: j.segment.Load(), Offset: j.end}
	data := block.seal(j.sequence + 1)
	_, err := j.file.WriteAt(data, j.end)
	if err == nil {
		err = j.file.Datasync()
	}
	if err != nil {
		path := segmentPath(j.dir, at.Segment)
		j.broken = fmt.Errorf("%w: append to %s at offset %d: %w", ErrBroken, path, at.Offset, err)
		return Position{}, j.broken
	}
	j.sequence++
	j.end += int64(len(data))
	j.written.Add(int64(len(data)))
	j.prepare()
	return at, nil
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

// Oldest is the number of the oldest segment.
func (j *Journal) Oldest() uint64 { return j.oldest.Load() }

// Written is how many bytes of blocks the journal held when it was opened and has
// taken since.
func (j *Journal) Written() int64 { return j.written.Load() }

// Path is where a segment lies.
func (j *Journal) Path(segment uint64) string { return segmentPath(j.dir, segment) }

// Close closes the journal in order, so that the next Start goes on in the same
// segment; a broken one is only closed.
func (j *Journal) Close() error {
	var err error
	if mark := (&Block{flags: Closed}); j.broken == nil && j.Fits(mark) {
		_, err = j.Append(mark)
	}
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
