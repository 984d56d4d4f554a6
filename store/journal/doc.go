// Package journal is an append-only, checksummed log of opaque payloads: the part
// of an engine that makes "acknowledged" mean "on disk". It takes the filesystem as
// a parameter, so that its tests can lose, tear, reorder and damage what it wrote.
//
// # Files
//
// A journal is a folder of segments, NNNNNNNNNNNNNNNNNNNN.journal, numbered from 1
// without gaps. A segment is allocated in full and filled with zeros before its
// header is written, so that a commit changes no metadata of the filesystem. All
// numbers are little endian; a checksum is CRC-32C (Castagnoli).
//
//	segment header, 64 bytes
//	 0        8        12       16       24             32      40          60      64
//	 ├────────┼────────┼────────┼────────┼──────────────┼───────┼───────────┼───────┤
//	 │ magic  │ format │ zero   │ segment│ first block's│ base  │ zero      │ CRC of│
//	 │ 8 bytes│ u32 = 1│        │ u64    │ sequence u64 │ u64   │ 20 bytes  │ 0..60 │
//	 └────────┴────────┴────────┴────────┴──────────────┴───────┴───────────┴───────┘
//
//	block: all the records of one commit; starts at a multiple of 8
//	 0        4        8           16      20      24                     n-8     n-4      n
//	 ├────────┼────────┼───────────┼───────┼───────┼──────────┬─ … ──────┼───────┼────────┤
//	 │ magic  │ n, u32 │ sequence  │ flags │ count │ length   │ payload  │ CRC of│ end    │
//	 │ 02 JWB │        │ u64       │ u32   │ u32   │ u32      │          │ 0..n-8│ mark   │
//	 └────────┴────────┴───────────┴───────┴───────┴──────────┴─ … ──────┴───────┴────────┘
//	                                               └─── count times ────┘
//
// The first segment after an opening has 1 MiB, each further one twice the size of the one
// before, up to 32 MiB (Options.SegmentSize); a block that is larger gets a segment of its
// own size, and no block is larger than 256 MiB. Between a block's end and the next
// multiple of 8 there are zeros.
//
// base is a number the engine gives with each segment and gets back at recovery; the
// file engine keeps there the resource versions that may be used up. A block with the
// flag Closed (bit 0) says that the journal was closed in order; it has no records of
// meaning and is the last thing of a journal at rest.
//
// # Why blocks
//
// The unit on disk is the commit: one write and one fdatasync for all records that
// wait together, at most one of them under way. So every block but the last was
// acknowledged by the disk before the next was written, and that tells a torn end
// from damage:
//
//   - a bad block with any valid block behind it, in its segment or in a later one,
//     was on disk once: damage;
//   - a bad block with nothing valid behind it may be the torn end of a commit that
//     nobody was told of. What a crash leaves of a write is a set of whole sectors
//     (512 bytes), or a beginning of it; the rest is as it was: zero. So it is torn
//     when one of the sectors it covers is still zero, or when its last byte is;
//   - when the file ends before it does, it is damage: a segment has its whole size
//     before it has its name, so somebody has cut the file or copied a part of it;
//   - complete and yet wrong, it is damage, and so is a block that a single flipped
//     bit makes right: it may have been acknowledged.
//
// Payloads must therefore not contain 512 zero bytes in a row; JSON never does.
//
// # Recovery
//
// Scan reads segments in order and hands out every record behind the block from which
// the caller needs them; it changes nothing, so it serves a check of the files too. Start
// then makes the journal ready to append.
// What a crash at each step of each write path leaves, and what becomes of it:
//
//	append     write block ─► fdatasync
//	           before, or torn in between: cut at the end of the last good block
//	           complete but perhaps not synced: a valid block; it is kept, and written
//	           again by Start, because an fdatasync that failed is not repeatable
//	rotate     create next.tmp ─► zero it ─► fsync ─► write header ─► fdatasync ─► rename ─► fsync folder
//	           before the rename: next.tmp is removed by the next Start. After it: a segment
//	           without blocks. A segment without a good header is damage, whatever is in it
//	           the first one is made the same way: a journal without segments is new, and
//	           refused when the caller asks for one
//	start      cut: truncate ─► fsync ─► rotate ─► append the last block again
//	           at each step the journal is what it was, or complete
//	remove     oldest first ─► fsync folder
//	           a beginning is missing, never a middle
//	close      append a block with flag Closed ─► close
//	           without it the next Start rotates, which costs a file and nothing else
//
// # Invariants
//
//  1. Append returns nil only after fdatasync has: its records survive any crash.
//  2. After an error of write or fdatasync the journal takes no further block: what
//     is on disk is unknown until it is read again.
//  3. Sequences rise by one from block to block, across segments; a block twice in a
//     row (a write that was carried out twice) counts once.
//  4. Scan changes no file. Start changes nothing before the last good block.
//  5. A journal that ends before the block up to which the caller has everything is
//     refused: the next blocks would be taken for ones that it has.
//  6. Whatever is neither acknowledged state nor torn end is refused with *Corrupt:
//     file, offset, cause and what to do.
package journal
