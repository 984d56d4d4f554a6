package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"

	"jobwright.dev/store/vfs"
)

// Position is where a payload lies.
type Position struct {
	Segment uint64 `json:"segment"`
	Offset  int64  `json:"offset"`
}

// Record is one record as Scan finds it. Payload is valid until the call returns.
type Record struct {
	Position
	Sequence uint64
	Payload  []byte
}

// Cut is the torn end of a commit that nobody was told of.
type Cut struct {
	File   string `json:"file"`
	Offset int64  `json:"offset"`
	Cause  string `json:"cause"`
}

// State is the result of a Scan.
type State struct {
	// Segments are the segments that were read, oldest first; none: a new journal.
	Segments []uint64
	// Obsolete are segments before the first that was asked for.
	Obsolete []uint64
	// Base is the highest base of all segments, FirstBase the base of the first.
	Base, FirstBase uint64
	// Blocks and Bytes count the blocks read, Records the records handed out.
	Blocks, Records, Bytes int64
	// Clean: the journal was closed in order, or is new.
	Clean bool
	// Cut is the torn end, if there is one. Start cuts it.
	Cut *Cut

	fsys vfs.FS
	dir  string
	from From
	// sequence is that of the last block; end is where the next one goes in the
	// last segment; lastBlock is where the last one starts, in which segment.
	sequence  uint64
	end       int64
	lastBlock Position
}

// From is where the records begin that are still needed; the zero From is the very
// beginning.
type From struct {
	// Segment is the first segment that must be there.
	Segment uint64
	// Sequence is the last block whose records are not needed any more.
	Sequence uint64
}

// Scan reads the journal in dir and calls fn for every record that from asks for, in
// order. It changes nothing. An error of fn ends the scan and comes back as it is.
func Scan(fsys vfs.FS, dir string, from From, fn func(Record) error) (*State, error) {
	st := &State{fsys: fsys, dir: dir, from: from, Clean: true}
	all, err := listSegments(fsys, dir)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		return nil, fmt.Errorf("list the journal's segments: %w", err)
	}
	var segments []uint64
	for _, n := range all {
		if n < from.Segment {
			st.Obsolete = append(st.Obsolete, n)
			continue
		}
		segments = append(segments, n)
	}
	if err := st.contiguous(segments); err != nil {
		return nil, err
	}
	for i, n := range segments {
		if err := st.scanSegment(n, i == 0, i == len(segments)-1, fn); err != nil {
			return nil, err
		}
	}
	if len(st.Segments) > 0 && st.Blocks == 0 {
		st.Clean = false
	}
	if len(st.Segments) > 0 && st.sequence < from.Sequence {
		// The next blocks would bear numbers that the caller has no need of any more.
		return nil, &Corrupt{
			File: segmentPath(dir, st.Segments[len(st.Segments)-1]), Offset: st.end, Advice: adviceRestore,
			Cause: fmt.Sprintf("the journal ends with block %d, but there was a block %d: the file was cut, or is an older copy", st.sequence, from.Sequence),
		}
	}
	return st, nil
}

// contiguous refuses segments that do not follow each other from the first wanted.
func (st *State) contiguous(segments []uint64) error {
	if len(segments) == 0 {
		if st.from.Segment > 0 {
			return st.missing(st.from.Segment, "the journal is newer than what it is read over, or was removed")
		}
		return nil
	}
	for i, n := range segments {
		if want := max(st.from.Segment, 1) + uint64(i); n != want {
			return st.missing(want, fmt.Sprintf("segment %d exists", n))
		}
	}
	return nil
}

func (st *State) missing(segment uint64, because string) error {
	return &Corrupt{
		File: segmentPath(st.dir, segment), Cause: "the segment is missing: " + because,
		Advice: "put it back, or restore the latest backup",
	}
}

// scanSegment reads one segment.
func (st *State) scanSegment(n uint64, first, last bool, fn func(Record) error) (err error) {
	path := segmentPath(st.dir, n)
	f, err := st.fsys.OpenRead(path)
	if err != nil {
		return fmt.Errorf("open journal segment: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	size, err := f.Size()
	if err != nil {
		return fmt.Errorf("journal segment %s: %w", path, err)
	}
	w := &window{file: f, size: size}
	head, err := w.at(0, segmentHeader)
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	h, err := decodeHeader(head)
	if err != nil {
		return badHeader(err, path, head)
	}
	switch {
	case h.segment != n:
		return &Corrupt{File: path, Offset: 16, Cause: fmt.Sprintf("the header is that of segment %d", h.segment), Advice: adviceRestore}
	case !first && h.first != st.sequence+1:
		return &Corrupt{
			File: path, Offset: 24, Advice: adviceRestore,
			Cause: fmt.Sprintf("the segment starts with block %d, but the one before ends with block %d: blocks are missing", h.first, st.sequence),
		}
	case first:
		st.sequence, st.FirstBase = h.first-1, h.base
	}
	st.Segments = append(st.Segments, n)
	st.Base = max(st.Base, h.base)
	st.end = segmentHeader
	return st.scanBlocks(path, n, w, last, fn)
}

// badHeader refuses a segment without a valid header. A crash leaves none: a segment gets
// its name once its header is on disk.
func badHeader(cause error, path string, head []byte) error {
	corrupt := &Corrupt{File: path, Cause: cause.Error(), Advice: adviceRestore}
	switch {
	case errors.Is(cause, errNewerFormat):
		corrupt.Advice = "start the version that wrote it"
	case len(head) < segmentHeader:
		corrupt.Cause = fmt.Sprintf("%v: the file has only %d bytes", cause, len(head))
	case zero(head):
		corrupt.Cause = cause.Error() + ": zeros"
	}
	return corrupt
}

// scanBlocks reads the blocks of one segment.
func (st *State) scanBlocks(path string, n uint64, w *window, last bool, fn func(Record) error) error {
	var previous parsed
	for {
		data, err := w.block(st.end)
		if err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		block, ok := parseBlock(data)
		if !ok {
			return st.endOfSegment(path, w, last)
		}
		length := padded(len(block.data))
		switch {
		case block.sequence == st.sequence && previous.data != nil && block.sum() == previous.sum():
			st.end += length // the same write, carried out twice
			continue
		case block.sequence != st.sequence+1:
			return &Corrupt{
				File: path, Offset: st.end, Advice: adviceRestore,
				Cause: fmt.Sprintf("block %d follows block %d", block.sequence, st.sequence),
			}
		}
		previous = parsed{data: bytes.Clone(block.data[len(block.data)-blockTrailer:])}
		st.Clean = block.flags&closedFlag != 0
		st.lastBlock = Position{Segment: n, Offset: st.end}
		err = block.records(func(offset int, payload []byte) error {
			if block.sequence <= st.from.Sequence {
				return nil
			}
			st.Records++
			return fn(Record{Position: Position{n, st.end + int64(offset)}, Sequence: block.sequence, Payload: payload})
		})
		if err != nil {
			return err
		}
		st.sequence = block.sequence
		st.Blocks++
		st.Bytes += length
		st.end += length
	}
}

// sum is the block's checksum as it stands in its trailer.
func (p parsed) sum() uint32 { return binary.LittleEndian.Uint32(p.data[len(p.data)-blockTrailer:]) }

// endOfSegment decides about what follows the last valid block of a segment.
func (st *State) endOfSegment(path string, w *window, last bool) error {
	if z, err := w.zeroFrom(st.end); err != nil || z {
		return err
	}
	rest, err := w.rest(st.end)
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	corrupt := &Corrupt{File: path, Offset: st.end, Advice: adviceRestore}
	if !last {
		corrupt.Cause = "not a valid block, but a later segment follows"
		return corrupt
	}
	cause, torn := classify(rest, st.end)
	if !torn {
		corrupt.Cause = cause
		return corrupt
	}
	st.Cut = &Cut{File: path, Offset: st.end, Cause: cause}
	st.Clean = false
	return nil
}
