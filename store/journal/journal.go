package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"sync/atomic"
)

// DefaultSegmentSize is large enough that at full speed a segment lasts for half a
// second, and small enough that an empty store does not look large.
const DefaultSegmentSize = 32 << 20

// Options of a journal.
type Options struct {
	// SegmentSize is the size of a segment in bytes; 0: DefaultSegmentSize. A block
	// that is larger gets a segment of its own size.
	SegmentSize int64
}

// Journal is a journal that is open for appending. Append, Rotate and Close are for
// one goroutine at a time; Size and Segment may be called at any time.
type Journal struct {
	fsys FS
	dir  string
	opts Options

	file     File
	end      int64
	capacity int64
	sequence uint64
	broken   error

	segment atomic.Uint64
	oldest  atomic.Uint64
	written atomic.Int64
}

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
		j.oldest.Store(st.from)
		if err := j.startSegment(st.from, base, 0); err != nil {
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
// unfinished one, a torn end.
func (st *State) repair() error {
	for _, n := range st.Obsolete {
		if err := st.fsys.Remove(segmentPath(st.dir, n)); err != nil {
			return fmt.Errorf("remove an obsolete journal segment: %w", err)
		}
	}
	if st.unfinished != 0 {
		if err := st.fsys.Remove(segmentPath(st.dir, st.unfinished)); err != nil {
			return fmt.Errorf("remove an unfinished journal segment: %w", err)
		}
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
	if st.lastBlock.Segment == 0 {
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

// startSegment creates a segment with room for a block of need bytes and makes it
// the current one. When it fails, the one before stays current, so a full disk does
// not break the journal.
func (j *Journal) startSegment(segment, base uint64, need int64) error {
	path := segmentPath(j.dir, segment)
	size := max(j.opts.SegmentSize, segmentHeader+padded(int(need)))
	f, err := j.fsys.Create(path)
	if errors.Is(err, fs.ErrExist) {
		// An earlier attempt failed and could not remove it either.
		if err = j.fsys.Remove(path); err == nil {
			f, err = j.fsys.Create(path)
		}
	}
	if err != nil {
		return fmt.Errorf("create journal segment: %w", err)
	}
	err = f.Allocate(size)
	if err == nil {
		_, err = f.WriteAt(header{segment: segment, first: j.sequence + 1, base: base}.encode(), 0)
	}
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = j.fsys.SyncDir(j.dir)
	}
	if err != nil {
		err = fmt.Errorf("create journal segment %s: %w", path, err)
		return errors.Join(err, f.Close(), j.fsys.Remove(path))
	}
	if j.file != nil {
		_ = j.file.Close() // all of it was synced, block by block
	}
	j.file, j.end, j.capacity = f, segmentHeader, size
	j.segment.Store(segment)
	return nil
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
	return errors.Join(err, j.file.Close())
}
