package file

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"math"
	"os"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/types"
)

const suffix = ".jsonl"

// segment is one file of the archive. The line number i of it is event first+i.
type segment struct {
	first uint64
	size  int64 // bytes that are written
	// index has a position for each line, also for those that are no events, once
	// indexed is set.
	index   []position
	indexed bool
}

// position is where a line begins and, as hashes, whose it is.
type position struct {
	workspace, job, uid uint32
	offset              uint32
}

func (s *segment) name() string { return segmentName(s.first) }

func segmentName(first uint64) string { return fmt.Sprintf("%020d%s", first, suffix) }

// firstOf reads a segment's first number from its name.
func firstOf(name string) (uint64, bool) {
	digits, ok := strings.CutSuffix(name, suffix)
	if !ok || len(digits) != 20 {
		return 0, false
	}
	first, err := strconv.ParseUint(digits, 10, 63)
	return first, err == nil && first > 0
}

// hasher makes the hashes of one archive; they are never written anywhere.
type hasher struct{ seed maphash.Seed }

func (h hasher) of(s string) uint32 { return uint32(maphash.String(h.seed, s)) }

func (h hasher) position(workspace, job string, uid types.UID, offset int64) position {
	return position{workspace: h.of(workspace), job: h.of(job), uid: h.of(string(uid)), offset: uint32(offset)}
}

// readIndex makes the index of the complete lines in r. It returns how many bytes they
// have and how many of them are no events.
func (h hasher) readIndex(r io.Reader) (index []position, size int64, damaged int, err error) {
	lines := bufio.NewReaderSize(r, maxLine+1)
	for size < math.MaxUint32 {
		line, err := lines.ReadSlice('\n')
		length := int64(len(line))
		for errors.Is(err, bufio.ErrBufferFull) { // no event is that long
			var more []byte
			more, err = lines.ReadSlice('\n')
			length += int64(len(more))
			line = nil
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil // what has no end is a torn line
			}
			return index, size, damaged, err
		}
		line = bytes.TrimSuffix(line, []byte("\n"))
		if p, ok := h.quick(line, size); ok {
			index = append(index, p)
		} else if event, ok := parse(line); ok {
			index = append(index, h.position(event.Workspace, event.Job, event.UID, size))
		} else {
			if !removed(line) {
				damaged++
			}
			index = append(index, position{offset: uint32(size)})
		}
		size += length
	}
	return index, size, damaged, nil
}

// quick finds whose a line is without decoding it: as appendLine writes it, when there
// is nothing to unescape. It makes the first read of a full archive three times faster.
func (h hasher) quick(line []byte, offset int64) (position, bool) {
	p := position{offset: uint32(offset)}
	rest, ok := bytes.CutPrefix(line, []byte(`{"time":"`))
	if !ok || len(rest) < len(timeFormat) || !json.Valid(line) {
		return p, false
	}
	rest = rest[len(timeFormat):]
	for _, field := range []struct {
		name string
		hash *uint32
	}{{`","workspace":"`, &p.workspace}, {`,"job":"`, &p.job}, {`,"uid":"`, &p.uid}} {
		if rest, ok = bytes.CutPrefix(rest, []byte(field.name)); !ok {
			return p, false
		}
		end := bytes.IndexByte(rest, '"')
		if end < 0 || bytes.IndexByte(rest[:end], '\\') >= 0 {
			return p, false
		}
		*field.hash = uint32(maphash.Bytes(h.seed, rest[:end]))
		rest = rest[end+1:]
	}
	return p, true
}

// windowSize is how much of a segment is read at once: some two hundred events.
const windowSize = 64 << 10

// window reads lines of one segment, of which many lie close together.
type window struct {
	file  *os.File
	buf   []byte
	start int64 // of buf in the file
}

// line returns the line that begins at offset and ends before end, without its end. The window is
// loaded so that lines before it (back) or after it are in it too.
func (w *window) line(offset, end, size int64, back bool) ([]byte, error) {
	end = min(end, offset+maxLine+1) // no event is longer
	if offset < w.start || end > w.start+int64(len(w.buf)) {
		from, to := offset, min(size, max(end, offset+windowSize))
		if back {
			from, to = max(0, min(offset, end-windowSize)), end
		}
		buf := make([]byte, to-from)
		if _, err := w.file.ReadAt(buf, from); err != nil {
			return nil, err
		}
		w.buf, w.start = buf, from
	}
	line, _, _ := bytes.Cut(w.buf[offset-w.start:end-w.start], []byte("\n"))
	return line, nil
}

// next is the number behind the segment's last, once it is indexed.
func (s *segment) next() uint64 { return s.first + uint64(len(s.index)) }
