package journal

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"slices"
)

const (
	// blockHeader is magic, length, sequence, flags and count.
	blockHeader = 24
	// blockTrailer is checksum and end mark.
	blockTrailer = 8
	// recordHeader is the record's length.
	recordHeader = 4
	// align is where blocks start: magic and length then share a sector always.
	align = 8
	// sector is the least that a disk writes as a whole.
	sector = 512
	// maxBlock bounds one commit, so that a damaged length cannot ask for all of
	// the memory. It is far above any group of objects that one call creates.
	maxBlock = 256 << 20

	// closedFlag is the flag of the block that ends a journal in order.
	closedFlag uint32 = 1 << 0
)

var (
	// blockMagic starts with a byte that no JSON text contains, so that no payload
	// of an engine is ever taken for a block.
	blockMagic = []byte{0x02, 'J', 'W', 'B'}
	// endMark has no zero byte: a block whose last byte is zero was not finished.
	endMark = []byte{0xa5, 0x5a, 0xa5, 0x5a}

	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

// Checksum is the journal's checksum, CRC-32C.
func Checksum(b []byte) uint32 { return ExtendChecksum(0, b) }

// ExtendChecksum is the checksum of earlier bytes, whose checksum is sum, followed by b.
func ExtendChecksum(sum uint32, b []byte) uint32 { return crc32.Update(sum, castagnoli, b) }

// Block collects the records of one commit. The zero Block is empty and ready.
type Block struct {
	buf   []byte
	count uint32
	flags uint32
}

// Reset empties the block and keeps its memory, unless that has grown out of
// proportion.
func (b *Block) Reset() {
	if cap(b.buf) > 4<<20 {
		b.buf = nil
	}
	b.buf, b.count, b.flags = b.buf[:0], 0, 0
}

// Grow makes room for records of n bytes in all.
func (b *Block) Grow(records, n int) {
	b.buf = slices.Grow(b.buf, blockHeader+records*recordHeader+n+blockTrailer+align)
}

// Len is how many bytes the block takes on disk.
func (b *Block) Len() int { return max(len(b.buf), blockHeader) + blockTrailer }

// Count is how many records the block has.
func (b *Block) Count() int { return int(b.count) }

// Add appends a record of the concatenated parts and returns the offset of its
// payload from the start of the block.
func (b *Block) Add(parts ...[]byte) int {
	if len(b.buf) == 0 {
		b.buf = append(b.buf, make([]byte, blockHeader)...)
	}
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	b.buf = binary.LittleEndian.AppendUint32(b.buf, uint32(n))
	offset := len(b.buf)
	for _, p := range parts {
		b.buf = append(b.buf, p...)
	}
	b.count++
	return offset
}

// seal completes header and trailer and returns the block's bytes with the padding
// up to where the next one starts.
func (b *Block) seal(sequence uint64) []byte {
	if len(b.buf) == 0 {
		b.buf = append(b.buf, make([]byte, blockHeader)...)
	}
	n := len(b.buf) + blockTrailer
	copy(b.buf, blockMagic)
	binary.LittleEndian.PutUint32(b.buf[4:], uint32(n))
	binary.LittleEndian.PutUint64(b.buf[8:], sequence)
	binary.LittleEndian.PutUint32(b.buf[16:], b.flags)
	binary.LittleEndian.PutUint32(b.buf[20:], b.count)
	sealed := binary.LittleEndian.AppendUint32(b.buf, Checksum(b.buf))
	sealed = append(sealed, endMark...)
	for len(sealed)%align != 0 {
		sealed = append(sealed, 0)
	}
	b.buf = sealed[:n-blockTrailer]
	return sealed
}

// parsed is a valid block.
type parsed struct {
	sequence uint64
	flags    uint32
	// data is the whole block, trailer included.
	data []byte
}

// parseBlock reads the block that data starts with; ok is false when there is no
// valid one.
func parseBlock(data []byte) (p parsed, ok bool) {
	if len(data) < blockHeader+blockTrailer || !bytes.Equal(data[:4], blockMagic) {
		return p, false
	}
	n := int64(binary.LittleEndian.Uint32(data[4:]))
	if n < blockHeader+blockTrailer || n > maxBlock || n > int64(len(data)) {
		return p, false
	}
	data = data[:n]
	if !bytes.Equal(data[n-4:], endMark) || binary.LittleEndian.Uint32(data[n-8:]) != Checksum(data[:n-8]) {
		return p, false
	}
	p = parsed{
		sequence: binary.LittleEndian.Uint64(data[8:]),
		flags:    binary.LittleEndian.Uint32(data[16:]),
		data:     data,
	}
	return p, p.records(func(int, []byte) error { return nil }) == nil
}

// records calls fn with each record's offset in the block and its payload.
func (p parsed) records(fn func(offset int, payload []byte) error) error {
	rest := p.data[blockHeader : len(p.data)-blockTrailer]
	for range binary.LittleEndian.Uint32(p.data[20:]) {
		if len(rest) < recordHeader {
			return errShortBlock
		}
		n := int64(binary.LittleEndian.Uint32(rest))
		if n > int64(len(rest)-recordHeader) {
			return errShortBlock
		}
		offset := len(p.data) - blockTrailer - len(rest) + recordHeader
		if err := fn(offset, rest[recordHeader:recordHeader+n:recordHeader+n]); err != nil {
			return err
		}
		rest = rest[recordHeader+n:]
	}
	if len(rest) != 0 {
		return errShortBlock
	}
	return nil
}

// padded is n rounded up to where the next block starts.
func padded(n int) int64 { return (int64(n) + align - 1) / align * align }
