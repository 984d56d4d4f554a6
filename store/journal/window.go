package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"jobwright.dev/store/vfs"
)

// window reads a file from front to back through a buffer that is as large as its
// largest block.
type window struct {
	file vfs.File
	size int64
	off  int64
	buf  []byte
}

// at returns n bytes from off on, fewer where the file ends.
func (w *window) at(off, n int64) ([]byte, error) {
	n = min(n, w.size-off)
	if n <= 0 {
		return nil, nil
	}
	if off < w.off || off+n > w.off+int64(len(w.buf)) {
		want := min(max(n, 256<<10), w.size-off)
		if int64(cap(w.buf)) < want {
			w.buf = make([]byte, want)
		}
		w.buf, w.off = w.buf[:want], off
		if _, err := w.file.ReadAt(w.buf, off); err != nil && !errors.Is(err, io.EOF) {
			w.buf = w.buf[:0]
			return nil, err
		}
	}
	return w.buf[off-w.off : off-w.off+n], nil
}

// block returns what the block at off claims to be, or what little there is.
func (w *window) block(off int64) ([]byte, error) {
	data, err := w.at(off, blockHeader+blockTrailer)
	if err != nil || len(data) < blockHeader || !bytes.Equal(data[:4], blockMagic) {
		return nil, err
	}
	n := int64(binary.LittleEndian.Uint32(data[4:]))
	if n > maxBlock || off+n > w.size {
		return nil, nil
	}
	return w.at(off, n)
}

// rest reads all from off to the end of the file.
func (w *window) rest(off int64) ([]byte, error) {
	b := make([]byte, w.size-off)
	if _, err := w.file.ReadAt(b, off); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return b, nil
}

// zeroFrom reports whether there is nothing but zeros from off on.
func (w *window) zeroFrom(off int64) (bool, error) {
	for off < w.size {
		b, err := w.at(off, 256<<10)
		if err != nil {
			return false, err
		}
		if !zero(b) {
			return false, nil
		}
		off += int64(len(b))
	}
	return true, nil
}

// zero reports whether b holds only zeros.
func zero(b []byte) bool {
	var zeros [4096]byte
	for len(b) > 0 {
		n := min(len(b), len(zeros))
		if !bytes.Equal(b[:n], zeros[:n]) {
			return false
		}
		b = b[n:]
	}
	return true
}
