package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// Start makes the journal that Scan has read ready to append. base goes into the
// header of the segment that is started when the journal was not closed in order;
// in that case the last block is written again, so call it with a base that is right
// after that block too.
func (st *State) Start(base uint64, opts Options) (*Journal, error) {
	if opts.SegmentSize == 0 {
		opts.SegmentSize = defaultSegmentSize
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
