package journal

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
)

// classify decides about rest, the bytes from offset to the end of the last segment,
// which do not start with a valid block and are not all zero: torn or damage, and why.
func classify(rest []byte, offset int64) (cause string, torn bool) {
	if at, block, ok := laterBlock(rest); ok {
		return fmt.Sprintf("not a valid block, but the valid block %d follows at offset %d", block.sequence, offset+int64(at)), false
	}
	if oneBitOff(rest) {
		return "a block in which a single bit has flipped", false
	}
	if zero(rest[:toSector(offset, len(rest))]) {
		return "the beginning of the last commit was not written", true
	}
	if len(rest) < 8 || !bytes.Equal(rest[:4], blockMagic) {
		return "neither a block nor zeros", false
	}
	n := int64(binary.LittleEndian.Uint32(rest[4:]))
	switch {
	case n < blockHeader+blockTrailer || n > maxBlock:
		return fmt.Sprintf("a block of an impossible length, %d bytes", n), false
	case n > int64(len(rest)):
		return fmt.Sprintf("the file ends %d bytes before the commit does; somebody has cut it, or copied a part of it", n-int64(len(rest))), false
	case !zero(rest[n:]):
		return "a block that does not fit its checksum, and more behind it", false
	case rest[n-1] == 0:
		return "the end of the last commit was not written", true
	}
	for at := 0; at < int(n); {
		end := min(at+toSector(offset+int64(at), len(rest)-at), int(n))
		if zero(rest[at:end]) {
			return fmt.Sprintf("the sector at offset %d of the last commit was not written", offset+int64(at)), true
		}
		at = end
	}
	return "a complete block that does not fit its checksum", false
}

// toSector is how far it is from offset to the next boundary of a sector, at most n.
func toSector(offset int64, n int) int {
	return min(int(sector-offset%sector), n)
}

// laterBlock finds a valid block behind the start of b.
func laterBlock(b []byte) (at int, block parsed, ok bool) {
	for at = align; at < len(b); at += align {
		i := bytes.Index(b[at:], blockMagic)
		if i < 0 {
			break
		}
		at += i
		if at%align != 0 {
			at -= at % align
			continue
		}
		if block, ok = parseBlock(b[at:]); ok {
			return at, block, true
		}
	}
	return 0, block, false
}

// oneBitOff reports whether b starts with a block once a single bit is flipped. It
// changes b for the time of the call.
func oneBitOff(b []byte) bool {
	if len(b) < blockHeader+blockTrailer {
		return false
	}
	// The checksum is only found when magic and length are right: try those bit by
	// bit.
	for i := range 64 {
		b[i/8] ^= 1 << (i % 8)
		_, ok := parseBlock(b)
		b[i/8] ^= 1 << (i % 8)
		if ok {
			return true
		}
	}
	n := int64(binary.LittleEndian.Uint32(b[4:]))
	if !bytes.Equal(b[:4], blockMagic) || n < blockHeader+blockTrailer || n > maxBlock || n > int64(len(b)) {
		return false
	}
	body := b[:n-blockTrailer]
	difference := binary.LittleEndian.Uint32(b[n-8:]) ^ Checksum(body)
	mark := binary.LittleEndian.Uint32(b[n-4:]) ^ binary.LittleEndian.Uint32(endMark)
	if mark != 0 {
		return difference == 0 && bits.OnesCount32(mark) == 1
	}
	return bits.OnesCount32(difference) == 1 || flipExplains(difference, len(body))
}

// flipExplains reports whether one flipped bit somewhere in n bytes changes their
// checksum by difference. A CRC is linear: the change depends on the bit's distance
// from the end alone, and one byte further from the end is one more step of the
// register.
func flipExplains(difference uint32, n int) bool {
	var register [8]uint32
	for bit := range register {
		register[bit] = castagnoli[1<<bit]
	}
	for range n {
		for bit, r := range register {
			if r == difference {
				return true
			}
			register[bit] = castagnoli[byte(r)] ^ r>>8
		}
	}
	return false
}
