package file

import (
	"fmt"

	"jobwright.dev/store"
	"jobwright.dev/store/journal"
)

// maxWindow is how much readAhead reads at once when entries lie one behind the other.
const maxWindow = 256 << 10

// readAhead reads the encodings of many entries, most of which lie in their files in
// the order in which they are asked for: a system call for hundreds of them instead of
// one for each.
type readAhead struct {
	sources *sources
	set     *sourceSet
	// buf is the last window read, from offset of source on.
	buf    []byte
	source uint32
	offset int64
	window int
}

// read returns the encoding of e, which is valid until the next call.
func (r *readAhead) read(e *entry) ([]byte, error) {
	if b, ok := e.inMem(); ok {
		return b, nil
	}
	id, offset := e.where()
	if !r.holds(id, offset, int(e.size)) {
		src := r.set.byID[id]
		if src == nil {
			return r.sources.read(r.set, e)
		}
		if next := r.offset + int64(len(r.buf)); id == r.source && offset <= next+4096 && offset >= r.offset {
			r.window = min(2*r.window, maxWindow)
		} else {
			r.window = 1 << 10
		}
		if err := r.fill(src, offset, int(e.size)); err != nil {
			return nil, fmt.Errorf("read %s: %w", e.key(), err)
		}
	}
	b := r.buf[offset-r.offset:][:e.size]
	if journal.Checksum(b) != e.sum {
		return r.sources.read(r.set, e) // which says where and what to do
	}
	return b, nil
}

func (r *readAhead) holds(id uint32, offset int64, size int) bool {
	return id == r.source && offset >= r.offset && offset+int64(size) <= r.offset+int64(len(r.buf))
}

// fill reads a window of src that begins with size bytes at offset.
func (r *readAhead) fill(src *source, offset int64, size int) error {
	n := max(size, r.window)
	if cap(r.buf) < n {
		r.buf = make([]byte, max(n, maxWindow))
	}
	got, err := src.file.ReadAt(r.buf[:n], offset)
	if got < size {
		r.buf = r.buf[:0]
		if err == nil {
			err = store.ErrCorrupt
		}
		return err
	}
	r.source, r.offset, r.buf = src.id, offset, r.buf[:got]
	return nil
}
