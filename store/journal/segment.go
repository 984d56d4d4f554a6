package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"jobwright.dev/store/vfs"
)

const (
	segmentHeader = 64
	segmentSuffix = ".journal"
	// formatVersion is the version of everything that doc.go draws.
	formatVersion = 1
)

// segmentMagic is made like PNG's: a byte above 127, a name, line ends and a
// control character show what a transfer as text has done to a file.
var segmentMagic = []byte("\x89JWJ\r\n\x1a\n")

var (
	errShortBlock  = errors.New("the records do not fill the block")
	errNoHeader    = errors.New("the segment header is not valid")
	errNewerFormat = errors.New("written by a newer version of jobwright")
)

// header is a segment's header.
type header struct {
	segment uint64
	first   uint64
	base    uint64
}

// encode returns the header's bytes.
func (h header) encode() []byte {
	b := make([]byte, segmentHeader)
	copy(b, segmentMagic)
	binary.LittleEndian.PutUint32(b[8:], formatVersion)
	binary.LittleEndian.PutUint64(b[16:], h.segment)
	binary.LittleEndian.PutUint64(b[24:], h.first)
	binary.LittleEndian.PutUint64(b[32:], h.base)
	binary.LittleEndian.PutUint32(b[60:], Checksum(b[:60]))
	return b
}

// decodeHeader reads a segment's header.
func decodeHeader(b []byte) (header, error) {
	if len(b) < segmentHeader || !bytes.Equal(b[:8], segmentMagic) ||
		binary.LittleEndian.Uint32(b[60:]) != Checksum(b[:60]) {
		return header{}, errNoHeader
	}
	if v := binary.LittleEndian.Uint32(b[8:]); v != formatVersion {
		return header{}, fmt.Errorf("%w: format %d, this one reads format %d", errNewerFormat, v, formatVersion)
	}
	return header{
		segment: binary.LittleEndian.Uint64(b[16:]),
		first:   binary.LittleEndian.Uint64(b[24:]),
		base:    binary.LittleEndian.Uint64(b[32:]),
	}, nil
}

// SegmentName is the file name of a segment.
func SegmentName(segment uint64) string {
	return fmt.Sprintf("%020d%s", segment, segmentSuffix)
}

// segmentNumber is the number in a segment's file name.
func segmentNumber(name string) (uint64, bool) {
	digits, ok := strings.CutSuffix(name, segmentSuffix)
	if !ok || len(digits) != 20 {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	return n, err == nil && n > 0
}

// listSegments returns the numbers of the segments in dir, ascending.
func listSegments(fsys vfs.FS, dir string) ([]uint64, error) {
	names, err := fsys.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var segments []uint64
	for _, name := range names {
		if n, ok := segmentNumber(name); ok {
			segments = append(segments, n)
		}
	}
	return segments, nil
}

// segmentPath is where a segment lies.
func segmentPath(dir string, segment uint64) string {
	return filepath.Join(dir, SegmentName(segment))
}
